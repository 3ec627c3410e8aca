import { randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { MAX_EXECUTION_BODY_BYTES } from '../engine/channel.js';
import { ApiError } from '../errors.js';

/** A whole multipart request: the largest body of an execution, and room for the other fields. */
const MULTIPART_LIMIT_BYTES = MAX_EXECUTION_BODY_BYTES + 256 * 1024;

/** Limits of the parser. `body` is kept as bytes; every other part is a text field, with a file name or without. */
export const multipartOptions = {
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
 * The fields of a multipart request, in whatever order they come; of a repeated one the last counts.
 * @throws ApiError general_argument_invalid: 413 when it is too large, 400 when it is malformed.
 */
export async function readMultipart(request: FastifyRequest): Promise<Record<string, unknown>> {
  if (Number(request.headers['content-length'] ?? 0) > MULTIPART_LIMIT_BYTES) {
    throw new ApiError('general_argument_invalid', 'The request body is too large.', { status: 413 });
  }
  const fields: Record<string, unknown> = {};
  try {
    for await (const part of request.parts()) {
      if (part.type === 'field' && part.valueTruncated) {
        throw new ApiError('general_argument_invalid', `The field "${part.fieldname}" is too large.`, {
          status: 413,
        });
      }
      fields[part.fieldname] = part.type === 'file' ? await part.toBuffer() : part.value;
    }
  } catch (error) {
    if (error instanceof ApiError || (error as { statusCode?: number }).statusCode !== undefined) throw error;
    throw new ApiError(
      'general_argument_invalid',
      `The multipart body could not be read: ${(error as Error).message}`,
    );
  }
  return fields;
}

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
