import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Busboy, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import { MAX_EXECUTION_BODY_BYTES } from '../engine/channel.js';
import { ApiError } from '../errors.js';

/** A whole multipart request: the largest body of an execution, and room for the other fields. */
const MULTIPART_LIMIT_BYTES = MAX_EXECUTION_BODY_BYTES + 256 * 1024;

/** Limits of the parser. `body` is kept as bytes; every other part is a text field, with a file name or without. */
const OPTIONS = {
  limits: {
    fileSize: MAX_EXECUTION_BODY_BYTES,
    // The longest text field is `headers`.
    fieldSize: 128 * 1024,
    fields: 32,
    files: 2,
    parts: 34,
    headerPairs: 50,
  },
  isPartAFile: (name: string | undefined) => name === 'body',
};

/**
 * The fields of a multipart request, in whatever order they come; of a repeated one the last counts. Without the
 * plugin for it, whose hooks every JSON request of the route would pay for.
 * @throws ApiError general_argument_invalid: 413 when it is too large, 400 when it is malformed.
 */
export function parseMultipart(payload: IncomingMessage): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    if (Number(payload.headers['content-length'] ?? 0) > MULTIPART_LIMIT_BYTES)
      throw tooLarge('request body');
    const parser = createParser(payload);
    const fields: Record<string, unknown> = Object.create(null);
    const fail = (error: ApiError) => {
      payload.unpipe(parser);
      // What is still to come is read, so that the client gets to see the answer.
      payload.resume();
      reject(error);
    };
    parser.on('field', (name, value, _isNameCut, isCut) => {
      if (isCut) fail(tooLarge(`field "${name}"`));
      else fields[name] = value;
    });
    parser.on('file', (name, stream) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('limit', () => fail(tooLarge(`field "${name}"`)));
      stream.on('error', (error) => fail(malformed(error)));
      stream.on('end', () => {
        fields[name] = Buffer.concat(chunks);
      });
    });
    for (const limit of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) {
      parser.on(limit, () => fail(malformed(new Error('it has too many parts'))));
    }
    parser.on('error', (error) => fail(malformed(error as Error)));
    parser.on('finish', () => resolve(fields));
    payload.on('error', (error) => fail(malformed(error)));
    payload.pipe(parser);
  });
}

function createParser({ headers }: IncomingMessage): BusboyInstance {
  try {
    return new Busboy({ ...OPTIONS, headers: headers as BusboyHeaders });
  } catch (error) {
    throw malformed(error as Error);
  }
}

const tooLarge = (what: string): ApiError =>
  new ApiError('general_argument_invalid', `The ${what} is too large.`, { status: 413 });

const malformed = ({ message }: Error): ApiError =>
  new ApiError('general_argument_invalid', `The multipart body could not be read: ${message}`);

/** Whether the caller names multipart before JSON among the answers it takes. */
export function prefersMultipart(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const types = accept.toLowerCase();
  const multipart = types.indexOf('multipart/form-data');
  const json = types.indexOf('application/json');
  return multipart !== -1 && (json === -1 || multipart < json);
}

/** A model as multipart: one part for each field, objects and arrays as JSON text, Buffers as their bytes. */
export function encodeMultipart(fields: Readonly<Record<string, unknown>>): { type: string; body: Buffer } {
  const boundary = `----executions-${randomBytes(16).toString('hex')}`;
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(fields)) {
    parts.push(Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n`));
    parts.push(Buffer.isBuffer(value) ? value : Buffer.from(toText(value)), Buffer.from('\r\n'));
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  return { type: `multipart/form-data; boundary=${boundary}`, body: Buffer.concat(parts) };
}

function toText(value: unknown): string {
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
