import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Execution } from '../executions/types.js';
import type { HttpServices } from './services.js';

/** What a handler adds to the line of its request. */
interface Noted {
  functionId: string;
  executionId: string;
  executionStatus?: string;
  /** Seconds. */
  executionDuration?: number;
}

/** Logged as the status of a request whose client left before the answer; never sent. */
const CLIENT_GONE = 499;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The level of this route's lines; `info` if not given. */
    level?: 'debug';
  }
  interface FastifyRequest {
    noted: Noted | null;
  }
}

/** Puts an execution into the log line of its request. */
export function noteExecution(request: FastifyRequest, execution: Execution): void {
  request.noted = {
    functionId: execution.functionId,
    executionId: execution.id,
    executionStatus: execution.status,
    executionDuration: execution.duration,
  };
}

/** Writes one line for each request. Query strings, bodies, keys and cookies stay out. */
export function logRequests(app: FastifyInstance, services: HttpServices): void {
  // The fields are these and no others, so nothing needs to be looked for and removed.
  const log = services.log.child({}, { redact: [] });
  app.decorateRequest('noted', null);
  const write = (request: FastifyRequest, status: number, duration: number): void => {
    const { config, schema } = request.routeOptions;
    const { noted } = request;
    log[config.level ?? 'info'](
      {
        requestId: request.id,
        method: request.method,
        path: pathOf(request.originalUrl),
        status,
        duration: Math.round(duration * 100) / 100,
        operation: schema?.operationId,
        functionId: noted?.functionId ?? (request.params as { functionId?: string } | undefined)?.functionId,
        executionId: noted?.executionId,
        executionStatus: noted?.executionStatus,
        executionDuration: noted?.executionDuration,
      },
      'request',
    );
  };
  app.addHook('onRequest', (request, reply, done) => {
    reply.raw.on('close', () => {
      if (!reply.raw.writableEnded) write(request, CLIENT_GONE, reply.elapsedTime);
    });
    done();
  });
  app.addHook('onResponse', (request: FastifyRequest, reply: FastifyReply, done) => {
    write(request, reply.statusCode, reply.elapsedTime);
    done();
  });
}

function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}
