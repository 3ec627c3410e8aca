import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { ApiError } from '../../errors.js';
import { checkHeaders } from '../header-rules.js';
import { ExecutionModel, executionExample, toResultBody } from '../models/execution.js';
import { encodeMultipart, parseMultipart, prefersMultipart } from '../multipart.js';
import { ownHost } from '../own-host.js';
import { functionIdParameter } from '../parameters.js';
import { noteExecution } from '../request-log.js';
import { defaultMethod } from '../response-format.js';
import { checkScheduledAt } from '../scheduled-at.js';
import type { HttpServices } from '../services.js';
import { refuseWhileStopping } from '../stopping.js';
import type { App } from '../types.js';
import { ExecutionRequestModel, executionRequestExample } from './execution-request.js';

/** `POST /v1/functions/{functionId}/executions`: runs a function. */
export async function createExecution(app: App, services: HttpServices): Promise<void> {
  app.addContentTypeParser('multipart/form-data', (_request: FastifyRequest, payload: IncomingMessage) =>
    parseMultipart(payload),
  );
  app.post(
    '/functions/:functionId/executions',
    {
      schema: {
        operationId: 'createExecution',
        tags: ['executions'],
        summary: 'Run a function',
        description:
          'Runs the active deployment of a function. By default the answer comes when it has ended, after at most 30 seconds; with `async` it comes at once, and the execution can be polled. `method` defaults to POST for clients that send `X-Appwrite-Response-Format` 1.8.0 or later.',
        params: Type.Object({ functionId: functionIdParameter }),
        body: ExecutionRequestModel,
        response: {
          201: { ...ExecutionModel, description: 'It has ended; the result is in the answer.' },
          202: { ...ExecutionModel, description: 'It is accepted and will run.' },
        },
      },
      config: {
        access: { scopes: ['executions.write'], guests: true },
        multipart: true,
        errors: [
          'general_bad_request',
          'build_not_ready',
          'user_unauthorized',
          'function_not_found',
          'function_runtime_unsupported',
          'deployment_not_found',
          'function_synchronous_timeout',
          'general_queue_full',
          'general_server_stopping',
        ],
        examples: {
          request: executionRequestExample,
          201: { ...executionExample, responseBody: '{"hello":"Ada"}' },
          202: {
            ...executionExample,
            status: 'waiting',
            responseStatusCode: 0,
            responseHeaders: [],
            logs: '',
            duration: 0,
          },
        },
      },
      onRequest: refuseWhileStopping(services),
    },
    async (request, reply) => {
      const input = request.body;
      checkScheduledAt(input.scheduledAt, input.async, Date.now());
      const headers = checkHeaders(input.headers);
      if (input.scheduledAt !== undefined) {
        throw new ApiError(
          'general_bad_request',
          'This server does not run delayed executions. Leave out scheduledAt, and create the execution when it is due.',
        );
      }
      headers.host ??= ownHost(request, services.config);
      const result = await services.executions.create({
        functionId: request.params.functionId,
        caller: request.caller,
        async: input.async,
        path: input.path,
        method: input.method ?? defaultMethod(String(request.headers['x-appwrite-response-format'])),
        headers,
        body: input.body,
        clientIp: request.ip,
        direct: false,
      });
      noteExecution(request, result.execution);
      reply.code(result.response ? 201 : 202);
      const body = toResultBody(result, request.caller);
      const bytes = result.response?.body ?? NO_BODY;
      if (prefersMultipart(request.headers.accept)) {
        return sendMultipart(reply, { ...body, responseBody: bytes });
      }
      body.responseBody = bytes.toString('utf8');
      return body;
    },
  );
}

const NO_BODY = Buffer.alloc(0);

function sendMultipart(reply: FastifyReply, fields: Record<string, unknown>) {
  const { type, body } = encodeMultipart(fields);
  return reply.type(type).send(body) as never;
}
