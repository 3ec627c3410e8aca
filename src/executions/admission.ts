/** What an execution is made of: its record, and what the engine is given of it. */
import type { Job, Target } from '../engine/types.js';
import type { FunctionRecord } from '../functions/types.js';
import { keptRequestHeaders } from './headers.js';
import type { Ending, Execution, ExecutionRequest } from './types.js';

/** A sync execution is ended after this long, counted from its admission. Contract: executions. */
const SYNC_LIMIT_MS = 30_000;
/** The record of an execution that is about to be admitted: the lifecycle gives it its status and its place. */
export function newExecution(
  id: string,
  { functionId, deploymentId }: Target,
  request: ExecutionRequest,
  headers: Record<string, string>,
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
    requestHeaders: keptRequestHeaders(headers),
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

/** An execution on its way through the engine. */
export function jobOf(
  record: FunctionRecord,
  { seq, id, requestMethod, requestPath }: Pick<Execution, 'seq' | 'id' | 'requestMethod' | 'requestPath'>,
  headers: Record<string, string>,
  body: Buffer,
  sync: boolean,
): Job {
  return {
    seq,
    id,
    functionId: record.id,
    sync,
    method: requestMethod,
    path: requestPath,
    headers,
    body,
    timeoutMs: record.timeout * 1_000,
    logging: record.logging,
    deadline: sync ? performance.now() + SYNC_LIMIT_MS : Number.POSITIVE_INFINITY,
  };
}
