import type { FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { Type } from 'typebox';
import { MAX_EXECUTION_BODY_BYTES } from '../../engine/channel.js';
import type { ErrorType } from '../../errors.js';
import type { ExecutionResult } from '../../executions/types.js';
import { headersForClient, headersForFunction } from '../forwarding.js';
import { ownHost } from '../own-host.js';
import { functionIdParameter } from '../parameters.js';
import { readRawBody } from '../raw-body.js';
import { noteExecution } from '../request-log.js';
import { EXECUTION_METHODS } from '../response-format.js';
import { directCallPath } from '../rewrite-url.js';
import type { HttpServices } from '../services.js';
import { refuseWhileStopping } from '../stopping.js';
import type { App } from '../types.js';

const ERRORS: ErrorType[] = [
  'build_not_ready',
  'function_execute_permission_missing',
  'function_not_found',
  'function_runtime_unsupported',
  'deployment_not_found',
  'function_synchronous_timeout',
  'general_queue_full',
  'general_server_stopping',
];

/** Statuses below it can't end an HTTP exchange: an answer with one is the function's failure. */
const FIRST_FINAL_STATUS = 200;
const NO_FINAL_ANSWER = 502;

/**
 * `ANY /f/{functionId}/*`: runs a function as plain HTTP, for webhooks, browsers and curl. Everybody is a guest here.
 * `rewriteUrl` has cut what follows the id; it is read from the original URL, undecoded.
 */
export async function callFunction(app: App, services: HttpServices): Promise<void> {
  // Any content type, even none that could be parsed: the handler reads the bytes itself.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/octet-stream', (_request, _payload, done) => done(null, undefined));
  app.addHook('onRequest', async (request) => {
    request.headers = { 'content-type': 'application/octet-stream' };
  });
  app.addHook('onRequest', refuseWhileStopping(services));
  for (const method of EXECUTION_METHODS) {
    app.route({
      method: method as HTTPMethods,
      url: '/f/:functionId',
      exposeHeadRoute: false,
      schema: {
        operationId: `call${method.charAt(0)}${method.slice(1).toLowerCase()}`,
        tags: ['direct calls'],
        summary: `Call a function as plain HTTP (${method})`,
        description:
          "For functions that `any` or `guests` may execute. Method, path below `/f/{functionId}`, query string, headers and body reach the function as they are; the answer is the function's own status, headers and body.",
        params: Type.Object({ functionId: functionIdParameter }),
      },
      config: { direct: true, errors: ERRORS },
      handler: async (request, reply) => {
        const body = await readRawBody(request.raw, MAX_EXECUTION_BODY_BYTES);
        const headers = headersForFunction(request.raw.headers, body.length);
        headers.host ??= ownHost(request, services.config);
        const result = await services.executions.create({
          functionId: request.params.functionId,
          caller: { kind: 'guest' },
          async: false,
          path: directCallPath(request.originalUrl),
          method,
          headers,
          body,
          clientIp: request.ip,
          direct: true,
        });
        return answer(request, reply, result);
      },
    });
  }
}

function answer(request: FastifyRequest, reply: FastifyReply, { execution, response }: ExecutionResult) {
  noteExecution(request, execution);
  reply.header('x-appwrite-execution-id', execution.id);
  const { status, headers, body } = response!;
  if (status < FIRST_FINAL_STATUS) return reply.code(NO_FINAL_ANSWER).send(null);
  reply.code(status);
  for (const [name, value] of headersForClient(headers)) reply.header(name, value);
  const length = headers.find(([name]) => name === 'content-length')?.[1];
  if (request.method === 'HEAD' && length !== undefined && /^\d+$/.test(length)) {
    reply.header('content-length', length);
  }
  if (status === 204) reply.removeHeader('content-type');
  const isBodiless = status === 204 || status === 304;
  return reply.send(isBodiless ? null : body);
}
