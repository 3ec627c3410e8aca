import { isAnyArrayBuffer } from 'node:util/types';
import { MAX_EXECUTION_BODY_BYTES } from '../engine/channel.js';
import { describe, ResponseFault, readHeaders } from './response-headers.js';

/** What a function returns: made by `context.res`, or a plain object of the same members. */
export interface FunctionResponse {
  body?: unknown;
  statusCode?: unknown;
  headers?: unknown;
}

/** A response as it leaves the thread. */
export interface FinalResponse {
  status: number;
  headers: [string, string][];
  body: Buffer;
}

/** `context.res`. Contract: function-context, "res". */
export interface Responders {
  send(body: unknown, statusCode?: unknown, headers?: object): FunctionResponse;
  text(body: unknown, statusCode?: unknown, headers?: object): FunctionResponse;
  binary(bytes: unknown, statusCode?: unknown, headers?: object): FunctionResponse;
  json(value: unknown, statusCode?: unknown, headers?: object): FunctionResponse;
  empty(): FunctionResponse;
  redirect(url: unknown, statusCode?: unknown, headers?: object): FunctionResponse;
}

const EMPTY = Buffer.alloc(0);

const responders: Responders = {
  send: (body, statusCode = 200, headers = {}) => ({ body: toBytes(body), statusCode, headers }),
  text: (body, statusCode = 200, headers = {}) => ({ body: toBytes(body), statusCode, headers }),
  binary: (bytes, statusCode = 200, headers = {}) => ({
    body: Array.isArray(bytes) ? fromNumbers(bytes) : toBytes(bytes),
    statusCode,
    headers,
  }),
  json: (value, statusCode = 200, headers = {}) => ({
    body: jsonBytes(value),
    statusCode,
    headers: withHeader(headers, 'content-type', 'application/json'),
  }),
  empty: () => ({ body: EMPTY, statusCode: 204, headers: {} }),
  redirect: (url, statusCode = 301, headers = {}) => ({
    body: EMPTY,
    statusCode,
    headers: withHeader(headers, 'location', String(url)),
  }),
};

/** A `context.res` of its own for each execution: what one does to it does not reach the next. */
export const createResponders = (): Responders => ({ ...responders });

/**
 * Turns what a function returned into its response.
 * @throws ResponseFault when it is none, or breaks a limit.
 */
export function readResponse(returned: unknown): FinalResponse {
  if (returned === undefined || returned === null) {
    throw new ResponseFault(
      'Return statement missing. return context.res.empty() if no response is expected.',
    );
  }
  if (!isResponse(returned)) {
    throw new ResponseFault(
      `The function returned ${describe(returned)}, which is no response. Return context.res.text(…), context.res.json(…) or another of context.res.`,
    );
  }
  const status = readStatus(returned.statusCode);
  const headers = readHeaders(returned.headers);
  const body = toBytes(returned.body);
  if (body.length > MAX_EXECUTION_BODY_BYTES) {
    throw new ResponseFault(
      `The response body has ${body.length} bytes; the limit is ${MAX_EXECUTION_BODY_BYTES} bytes (20 MiB).`,
    );
  }
  return { status, headers, body };
}

function isResponse(value: unknown): value is FunctionResponse {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value) || ArrayBuffer.isView(value) || isAnyArrayBuffer(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || 'statusCode' in value || 'body' in value;
}

function readStatus(status: unknown): number {
  if (status === undefined || status === null) return 200;
  const number = typeof status === 'string' && /^\d{3}$/.test(status) ? Number(status) : status;
  if (!Number.isInteger(number) || (number as number) < 100 || (number as number) > 599) {
    const shown = typeof status === 'number' || typeof status === 'string' ? status : describe(status);
    throw new ResponseFault(
      `The status code of a response must be an integer from 100 to 599, not ${typeof status === 'string' ? JSON.stringify(status) : shown}.`,
    );
  }
  return number as number;
}

/** Text as UTF-8, bytes as they are, nothing as nothing, other values as their text, objects as compact JSON. */
function toBytes(value: unknown): Buffer {
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (value === undefined || value === null) return EMPTY;
  if (Buffer.isBuffer(value)) return value;
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (isAnyArrayBuffer(value)) return Buffer.from(value);
  switch (typeof value) {
    case 'number':
    case 'bigint':
    case 'boolean':
      return Buffer.from(String(value));
    case 'object':
      if (!isStream(value)) return jsonBytes(value);
  }
  throw new ResponseFault(
    `The body of a response must be text, bytes or JSON, not ${isStream(value) ? 'a stream or promise' : describe(value)}.`,
  );
}

function jsonBytes(value: unknown): Buffer {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new ResponseFault(`JSON can't hold ${describe(value)}.`);
  return Buffer.from(text, 'utf8');
}

function fromNumbers(numbers: unknown[]): Buffer {
  if (
    !numbers.every(
      (number) => Number.isInteger(number) && (number as number) >= 0 && (number as number) < 256,
    )
  ) {
    throw new ResponseFault('An array of bytes must hold integers from 0 to 255.');
  }
  return Buffer.from(numbers as number[]);
}

/** Forgetting `await`, or handing over a stream, would else answer `{}`. */
function isStream(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return ['then', 'getReader', 'pipe'].some(
    (member) => typeof (value as Record<string, unknown>)[member] === 'function',
  );
}

/** A copy of the headers in which `name`, in whatever spelling, has only this value. */
function withHeader(headers: object | null, name: string, value: string): Record<string, unknown> {
  const given: Iterable<[string, unknown]> =
    headers && Symbol.iterator in headers
      ? (headers as Iterable<[string, unknown]>)
      : Object.entries(headers ?? {});
  const kept = new Map<string, unknown>();
  for (const [other, theirs] of given) {
    if (String(other).toLowerCase() === name) continue;
    // Headers of fetch list each cookie by itself.
    kept.set(other, kept.has(other) ? [kept.get(other), theirs].flat() : theirs);
  }
  return Object.fromEntries([...kept, [name, value]]);
}
