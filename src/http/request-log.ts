import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { toDate } from '../dates.js';
import type { Execution } from '../executions/types.js';
import { lineWriterOf } from '../log.js';
import type { HttpServices } from './services.js';

/** What a handler adds to the line of its request. */
interface Noted {
  functionId: string;
  executionId: string;
  executionStatus?: string;
  /** Seconds. */
  executionDuration?: number;
}

/** The fields of a line, these and no others. */
export interface RequestFields {
  requestId: string;
  method: string;
  path: string;
  status: number;
  /** ms. */
  duration: number;
  operation: string | undefined;
  functionId: string | undefined;
  execution: Noted | null;
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
  const log = requestLogger(services.log);
  app.decorateRequest('noted', null);
  const write = (request: FastifyRequest, status: number, duration: number): void => {
    const { config, schema } = request.routeOptions;
    const { noted } = request;
    log(config.level ?? 'info', {
      requestId: request.id,
      method: request.method,
      path: pathOf(request.originalUrl),
      status,
      duration: Math.round(duration * 100) / 100,
      operation: schema?.operationId,
      functionId: noted?.functionId ?? (request.params as { functionId?: string } | undefined)?.functionId,
      execution: noted,
    });
  };
  const unanswered = new WeakMap<Socket, Set<FastifyReply>>();
  app.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw;
    let replies = unanswered.get(socket);
    if (!replies) {
      replies = new Set();
      unanswered.set(socket, replies);
      socket.once('close', () => {
        const left = unanswered.get(socket)!;
        // Node may still call an answer finished that nobody took: it has had its line.
        unanswered.delete(socket);
        for (const reply of left) write(reply.request, CLIENT_GONE, reply.elapsedTime);
      });
    }
    replies.add(reply);
    done();
  });
  app.addHook('onResponse', (request: FastifyRequest, reply: FastifyReply, done) => {
    if (unanswered.get(request.raw.socket)?.delete(reply))
      write(request, reply.statusCode, reply.elapsedTime);
    done();
  });
}

/**
 * Writes the line of a request. On the hot path it is put together here: going by way of pino, which looks at every
 * field's type and characters, took a tenth of the time of an accepted execution.
 */
function requestLogger(log: Logger): (level: 'info' | 'debug', fields: RequestFields) => void {
  const writeLine = lineWriterOf(log);
  // The fields are these and no others, so nothing needs to be looked for and removed.
  const child = log.child({}, { redact: [] });
  return (level, fields) => {
    if (!log.isLevelEnabled(level)) return;
    if (writeLine) writeLine(requestLine(log.levels.values[level]!, fields));
    else {
      const { execution, ...others } = fields;
      child[level]({ ...others, ...execution }, 'request');
    }
  };
}

/** A line as the logger writes it. What a client may have chosen is escaped; all else has nothing to escape. */
export function requestLine(level: number, fields: RequestFields, now = Date.now()): string {
  const { requestId, method, path, status, duration, operation, functionId, execution } = fields;
  let line = `{"level":${level},"time":"${toDate(now)}","requestId":"${requestId}","method":"${method}","path":${JSON.stringify(path)},"status":${status},"duration":${duration}`;
  if (operation !== undefined) line += `,"operation":"${operation}"`;
  if (functionId !== undefined) line += `,"functionId":${JSON.stringify(functionId)}`;
  if (execution) {
    line += `,"executionId":${JSON.stringify(execution.executionId)}`;
    if (execution.executionStatus !== undefined) {
      line += `,"executionStatus":"${execution.executionStatus}","executionDuration":${execution.executionDuration}`;
    }
  }
  return `${line},"msg":"request"}\n`;
}

function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}
