/** What of a direct call's headers passes between its client and the function, both ways. */
import { type IncomingHttpHeaders, validateHeaderName, validateHeaderValue } from 'node:http';
import type { HeaderList } from '../engine/types.js';

/** Headers that belong to one connection and not to the message. RFC 9110, 7.6.1. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const OUR_HEADERS = /^x-appwrite-/;
const OUR_COOKIES = /^a_session_/;

/** The headers a function sees of a direct call: all of the client's but ours and those of the connection. */
export function headersForFunction(given: IncomingHttpHeaders, bodyBytes: number): Record<string, string> {
  const named = namedByConnection(given.connection);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || HOP_BY_HOP.has(name) || named.has(name) || OUR_HEADERS.test(name)) continue;
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  if (headers.cookie !== undefined) {
    const cookies = headers.cookie.split(/; */).filter((cookie) => !OUR_COOKIES.test(cookie));
    if (cookies.length > 0) headers.cookie = cookies.join('; ');
    else delete headers.cookie;
  }
  if (bodyBytes > 0) headers['content-length'] = String(bodyBytes);
  return headers;
}

/**
 * The headers of a function's response that go to the client, without those that are the server's business: the
 * connection and the length. A runner is not trusted: what HTTP forbids is left out.
 */
export function headersForClient(given: HeaderList): Map<string, string | string[]> {
  const named = namedByConnection(given.find(([name]) => name === 'connection')?.[1]);
  const headers = new Map<string, string | string[]>();
  for (const [name, value] of given) {
    if (HOP_BY_HOP.has(name) || named.has(name) || name === 'content-length') continue;
    if (OUR_HEADERS.test(name) || !isSendable(name, value)) continue;
    const earlier = headers.get(name);
    if (earlier === undefined) headers.set(name, value);
    else headers.set(name, Array.isArray(earlier) ? [...earlier, value] : [earlier, value]);
  }
  return headers;
}

const namedByConnection = (connection: string | undefined): Set<string> =>
  new Set((connection ?? '').toLowerCase().split(/\s*,\s*/));

function isSendable(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}
