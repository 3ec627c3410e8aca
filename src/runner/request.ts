/** What an execution brings along, as it arrives at the thread. */
export interface RequestParts {
  method: string;
  /** Path and query string. */
  path: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: Buffer;
}

/** `context.req`. Contract: function-context, "req". */
export interface FunctionRequest {
  readonly body: unknown;
  readonly bodyRaw: string;
  readonly bodyText: string;
  readonly bodyJson: unknown;
  readonly bodyBinary: Buffer;
  headers: Record<string, string>;
  method: string;
  scheme: string;
  host: string;
  port: number;
  path: string;
  queryString: string;
  query: Record<string, string>;
  url: string;
}

/** Bodies up to this size are copied out of the piece of the channel they came in, bytes. */
const MAX_COPIED_BYTES = 64 * 1024;

export function createRequest(parts: RequestParts): FunctionRequest {
  const headers = withoutPrivate(parts.headers);
  const scheme = headers['x-forwarded-proto'] || 'http';
  const defaultPort = scheme === 'https' ? 443 : 80;
  const [host, givenPort] = splitHost(headers.host ?? '');
  const port = givenPort ?? defaultPort;
  const [path, queryString] = splitPath(parts.path);
  const isJson = (headers['content-type'] ?? '').toLowerCase().startsWith('application/json');
  let bytes: Buffer | undefined;
  let text: string | undefined;
  return {
    get bodyBinary() {
      bytes ??= parts.body.length <= MAX_COPIED_BYTES ? Buffer.from(parts.body) : parts.body;
      return bytes;
    },
    get bodyText() {
      text ??= parts.body.toString('utf8');
      return text;
    },
    get bodyRaw() {
      return this.bodyText;
    },
    get bodyJson() {
      return JSON.parse(this.bodyText) as unknown;
    },
    get body() {
      if (!isJson) return this.bodyText;
      return parts.body.length === 0 ? {} : this.bodyJson;
    },
    headers,
    method: parts.method.toUpperCase(),
    scheme,
    host,
    port,
    path,
    queryString,
    query: queryString === '' ? {} : parseQuery(queryString),
    url: `${scheme}://${host}${port === defaultPort ? '' : `:${port}`}${path}${queryString === '' ? '' : `?${queryString}`}`,
  };
}

function withoutPrivate(headers: Record<string, string>): Record<string, string> {
  for (const name in headers) if (name.startsWith('x-open-runtimes-')) delete headers[name];
  return headers;
}

/** The port is the digits behind the last colon, unless that stands within the brackets of an IPv6 address. */
function splitHost(host: string): [host: string, port: number | undefined] {
  const match = /^(\[[^\]]*\]|[^:]*):(\d*)$/.exec(host);
  if (!match) return [host, undefined];
  return [match[1]!, match[2] === '' ? undefined : Number(match[2])];
}

/** What comes after a `#` is the client's own, and never arrives. */
function splitPath(pathAndFragment: string): [path: string, queryString: string] {
  const path = pathAndFragment.split('#', 1)[0]!;
  const mark = path.indexOf('?');
  return mark === -1 ? [path, ''] : [path.slice(0, mark), path.slice(mark + 1)];
}

/** Nothing is decoded; a later one of the same name wins. */
function parseQuery(queryString: string): Record<string, string> {
  const entries: [string, string][] = [];
  for (const part of queryString.split('&')) {
    const equals = part.indexOf('=');
    const name = equals === -1 ? part : part.slice(0, equals);
    if (name !== '') entries.push([name, equals === -1 ? '' : part.slice(equals + 1)]);
  }
  // fromEntries makes own properties even of names like __proto__.
  return Object.fromEntries(entries);
}
