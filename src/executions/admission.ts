/** What an execution is made of: its record, and what the engine is given of it. */
import type { Job, Target } from '../engine/types.js';
import type { FunctionRecord } from '../functions/types.js';
import { addServerHeaders, keptRequestHeaders } from './headers.js';
import type { Ending, Execution, ExecutionRequest, Input } from './types.js';

/** A sync execution is ended after this long, counted from its admission. Contract: executions. */
const SYNC_LIMIT_MS = 30_000;

/** The record of an execution that is about to be admitted: the lifecycle gives it its status and its place. */
export function newExecution(
  id: string,
  { functionId, deploymentId }: Target,
  request: ExecutionRequest,
): Execution {
  const now = Date.now();
  return {
    seq: 0,
    id,
    functionId,
    deploymentId,
    trigger: 'http',
    status: 'waiting',
    requestMethod: request.method,
    requestPath: request.path,
    requestHeaders: keptRequestHeaders(request.headers, request.clientIp),
    responseStatusCode: 0,
    responseHeaders: [],
    duration: 0,
    createdAt: now,
    updatedAt: now,
    scheduledAt: null,
    userId: null,
    logs: '',
    errors: '',
  };
}

/** What is on record now that it has ended. */
export function addEnding(execution: Execution, ending: Ending): void {
  execution.status = ending.status;
  execution.responseStatusCode = ending.responseStatusCode;
  execution.responseHeaders = ending.responseHeaders;
  execution.duration = ending.duration;
  execution.logs = ending.logs;
  execution.errors = ending.errors;
  execution.updatedAt = ending.at;
}

/** What the engine must know of an execution. */
export type Admitted = Pick<
  Execution,
  'seq' | 'id' | 'trigger' | 'requestMethod' | 'requestPath' | 'requestHeaders'
>;

/** An execution on its way through the engine. Its input's headers get the server's own. */
export function jobOf(
  record: FunctionRecord,
  execution: Admitted,
  { headers, body }: Input,
  sync: boolean,
): Job {
  addServerHeaders(headers, execution);
  return {
    seq: execution.seq,
    id: execution.id,
    functionId: record.id,
    sync,
    method: execution.requestMethod,
    path: execution.requestPath,
    headers,
    body,
    timeoutMs: record.timeout * 1_000,
    logging: record.logging,
    deadline: sync ? performance.now() + SYNC_LIMIT_MS : Number.POSITIVE_INFINITY,
  };
}
