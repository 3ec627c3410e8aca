import type { IncomingMessage } from 'node:http';
import { ApiError } from '../errors.js';

/**
 * The bytes of a request's body, whatever its method and content type.
 * @throws ApiError general_argument_invalid: 413 when it is larger than `limit` bytes, 400 when it broke off.
 */
export async function readRawBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > limit) throw tooLarge(limit);
  if (announced === 0 && request.headers['transfer-encoding'] === undefined) return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      request.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
      act();
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > limit) settle(() => reject(tooLarge(limit)));
    };
    const onEnd = () => settle(() => resolve(Buffer.concat(chunks, size)));
    const onBroken = () =>
      settle(() => reject(new ApiError('general_argument_invalid', 'The request broke off.')));
    request.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
  });
}

function tooLarge(limit: number): ApiError {
  return new ApiError(
    'general_argument_invalid',
    `The request body is larger than ${limit.toLocaleString('en-US')} bytes.`,
    { status: 413 },
  );
}
