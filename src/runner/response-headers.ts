import { isAnyArrayBuffer } from 'node:util/types';

/** Most bytes of response headers, names and values together. The server takes no more either. */
export const MAX_RESPONSE_HEADER_BYTES = 128 * 1024;
/** Most response headers. */
export const MAX_RESPONSE_HEADERS = 1_000;

const DEFAULT_CONTENT_TYPE = 'text/plain; charset=utf-8';
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const FORBIDDEN_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** What is wrong with a response; the message is for the function's author. */
export class ResponseFault extends Error {
  override name = 'ResponseFault';
}

/**
 * The headers of a response as they are sent: names in lower case, private ones dropped, a content type given.
 * Contract: function-context, "Response headers".
 * @throws ResponseFault on what HTTP forbids, or on too many.
 */
export function readHeaders(given: unknown): [string, string][] {
  const result: [string, string][] = [];
  const spellings = new Map<string, string>();
  for (const [givenName, value] of entriesOf(given)) {
    if (!NAME.test(givenName)) throw new ResponseFault(`The header name ${quote(givenName)} is not valid.`);
    const name = givenName.toLowerCase();
    if (name.startsWith('x-open-runtimes-')) continue;
    // Two spellings of one name: the later wins, as with the members of an object. The same one again comes only from
    // Headers of fetch, which list each cookie by itself.
    if ((spellings.get(name) ?? givenName) !== givenName) removeAll(result, name);
    spellings.set(name, givenName);
    for (const item of Array.isArray(value) ? value : [value])
      result.push([name, valueText(givenName, item)]);
  }
  applyContentType(result);
  checkSize(result);
  return result;
}

function entriesOf(given: unknown): Iterable<[string, unknown]> {
  if (given === undefined || given === null) return [];
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw new ResponseFault('The headers of a response must be an object of names and values.');
  }
  if (given instanceof Map || isFetchHeaders(given)) return [...given].map(([name, v]) => [String(name), v]);
  return Object.entries(given);
}

/** Told by its name: to name the class itself would load all of fetch. */
function isFetchHeaders(value: object): value is Iterable<[string, string]> {
  return value.constructor?.name === 'Headers' && Symbol.iterator in value;
}

function valueText(name: string, value: unknown): string {
  const type = typeof value;
  if (type !== 'string' && type !== 'number' && type !== 'boolean' && type !== 'bigint') {
    throw new ResponseFault(
      `The value of the header ${quote(name)} must be text, a number or an array of them, not ${describe(value)}.`,
    );
  }
  const text = String(value);
  if (FORBIDDEN_IN_VALUE.test(text)) {
    throw new ResponseFault(`The value of the header ${quote(name)} holds a character that HTTP forbids.`);
  }
  return text;
}

function applyContentType(headers: [string, string][]): void {
  let found = false;
  for (const header of headers) {
    if (header[0] !== 'content-type') continue;
    found = true;
    const lower = header[1].toLowerCase();
    // A boundary is case-sensitive, so multipart types stay as they are.
    if (lower.startsWith('multipart/') || lower.includes('charset=')) continue;
    header[1] = `${lower}; charset=utf-8`;
  }
  if (!found) headers.push(['content-type', DEFAULT_CONTENT_TYPE]);
}

function checkSize(headers: [string, string][]): void {
  if (headers.length > MAX_RESPONSE_HEADERS) {
    throw new ResponseFault(
      `The response has ${headers.length} headers; the limit is ${MAX_RESPONSE_HEADERS}.`,
    );
  }
  let bytes = 0;
  for (const [name, value] of headers) bytes += name.length + value.length;
  if (bytes > MAX_RESPONSE_HEADER_BYTES) {
    throw new ResponseFault(
      `The response headers hold ${bytes} bytes; the limit is ${MAX_RESPONSE_HEADER_BYTES} bytes (128 KiB).`,
    );
  }
}

function removeAll(headers: [string, string][], name: string): void {
  for (let i = headers.length - 1; i >= 0; i--) if (headers[i]![0] === name) headers.splice(i, 1);
}

const quote = (text: string): string => JSON.stringify(text.slice(0, 100));

/** What kind of thing a value is, for messages. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (ArrayBuffer.isView(value) || isAnyArrayBuffer(value)) return 'bytes';
  return `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}
