import { ChannelError, type ControlReply, type ThreadReply } from './channel.js';

/** Most response headers' bytes, names and values together, that a function may answer with. */
const MAX_RESPONSE_HEADER_BYTES = 128 * 1024;
const MAX_REASON_CHARACTERS = 2_000;

export type Reply = ThreadReply;

const isIndex = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/**
 * Checks every field of a header that came from a worker thread.
 * @throws ChannelError when it is none the server knows.
 */
export function readReply(header: Record<string, unknown>): Reply {
  const { type, id } = header;
  switch (type) {
    case 'hello':
    case 'output':
      return { type };
    case 'started':
      if (isIndex(id)) return { type, id };
      break;
    case 'log':
      if (isIndex(id) && (header.stream === 'logs' || header.stream === 'errors')) {
        return { type, id, stream: header.stream };
      }
      break;
    case 'recalled':
      if (Array.isArray(header.ids) && header.ids.length <= 1_000 && header.ids.every(isIndex)) {
        return { type, ids: header.ids };
      }
      break;
    case 'result':
      return readResult(header);
  }
  throw new ChannelError('a frame of no known type');
}

function readResult({ id, status, headers, duration, next }: Record<string, unknown>): Reply {
  if (!isIndex(id)) throw new ChannelError('a result without an id');
  if (!Number.isInteger(status) || (status as number) < 100 || (status as number) > 599) {
    throw new ChannelError('a result without a status');
  }
  if (typeof duration !== 'number' || !(duration >= 0)) throw new ChannelError('a result without a duration');
  if (!isHeaderList(headers)) throw new ChannelError('a result without proper headers');
  if (next === undefined) return { type: 'result', id, status: status as number, headers, duration };
  if (!isIndex(next)) throw new ChannelError('a result with a bad next execution');
  return { type: 'result', id, status: status as number, headers, duration, next };
}

function isHeaderList(value: unknown): value is [string, string][] {
  if (!Array.isArray(value)) return false;
  let bytes = 0;
  for (const entry of value as unknown[]) {
    if (!Array.isArray(entry) || entry.length !== 2) return false;
    const [name, text] = entry as unknown[];
    if (typeof name !== 'string' || typeof text !== 'string') return false;
    // What HTTP forbids would break the answer, or split it.
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(text)) return false;
    bytes += name.length + text.length;
  }
  return bytes <= MAX_RESPONSE_HEADER_BYTES;
}

/**
 * Checks a header that came from a runner's main thread.
 * @throws ChannelError when it is none the server knows.
 */
export function readControlReply(header: Record<string, unknown>): ControlReply {
  if (header.type === 'ready') return { type: 'ready' };
  if (header.type === 'ended' && isIndex(header.thread) && typeof header.reason === 'string') {
    return { type: 'ended', thread: header.thread, reason: header.reason.slice(0, MAX_REASON_CHARACTERS) };
  }
  throw new ChannelError('a control frame of no known type');
}
