import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../errors.js';
import type { HttpServices } from './services.js';

/** Statuses that reach the client as they are; what else goes wrong is its 400 or our 500. Contract: management, 1.2. */
const KEPT_STATUSES = new Set([400, 401, 403, 404, 405, 408, 409, 410, 412, 413, 415, 416, 422, 429, 451]);

/** Errors must not stay in caches. */
const NO_CACHE = {
  'cache-control': 'no-cache, no-store, must-revalidate',
  expires: '0',
  pragma: 'no-cache',
};

/** The body of every error. */
export function errorBody(error: ApiError, version: string): string {
  return JSON.stringify({ message: error.message, code: error.status, type: error.type, version });
}

/** Whatever was thrown, as what the client gets: nothing of an unexpected error leaks. */
export function toApiError(error: Partial<FastifyError> & Error): ApiError {
  if (error instanceof ApiError) return error;
  const status = error.statusCode ?? 500;
  if (status < 400 || status >= 500) return new ApiError('general_unknown', undefined, { cause: error });
  if (status === 413) {
    return new ApiError('general_argument_invalid', 'The request body is too large.', { status });
  }
  if (status === 415) {
    const message = 'This media type is not supported. Send application/json or multipart/form-data.';
    return new ApiError('general_argument_invalid', message, { status });
  }
  return new ApiError('general_argument_invalid', error.message, {
    status: KEPT_STATUSES.has(status) ? status : 400,
  });
}

/** Answers errors, and logs those that are ours with the id the client also gets. */
export function errorHandler({ version, log }: HttpServices) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const answer = toApiError(error);
    if (answer.status === 500)
      log.error({ requestId: request.id, err: answer.cause ?? answer }, 'request failed');
    if (answer.status === 413 && declaresItsLength(request)) {
      // Closing at once would reset the connection while the client still sends, and it would never see the answer.
      reply.removeHeader('connection');
    }
    reply
      .code(answer.status)
      .headers({ ...NO_CACHE, ...answer.headers, 'x-request-id': request.id })
      .type('application/json; charset=utf-8')
      .send(errorBody(answer, version));
  };
}

/** Up to here the rest of a refused body is read and thrown away. */
const MAX_DISCARDED_BYTES = 256 * 1024 * 1024;

const declaresItsLength = (request: FastifyRequest): boolean =>
  Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY) <= MAX_DISCARDED_BYTES;

/** Answers what is not even HTTP, or comes too slowly, on the bare socket. */
export function clientErrorHandler({ version }: HttpServices) {
  return (error: Error & { code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const answer = toSocketError(error.code);
    const body = errorBody(answer, version);
    socket.end(
      `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  };
}

function toSocketError(code: string | undefined): ApiError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new ApiError('general_bad_request', 'The request took too long to arrive.', { status: 408 });
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new ApiError('general_argument_invalid', 'The URL and headers of the request are too large.');
  }
  return new ApiError('general_bad_request', 'This is not a valid HTTP request.');
}
