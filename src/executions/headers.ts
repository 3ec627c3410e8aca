import type { HeaderList } from '../engine/types.js';
import type { ExecutionRequest, Trigger } from './types.js';

/** Request headers that stay on record. Contract: executions, the Execution. */
const KEPT_REQUEST_HEADERS = [
  'content-type',
  'agent',
  'content-length',
  'host',
  'user-agent',
  'x-appwrite-client-ip',
];

/** The headers a function sees: its caller's, then the server's own, which win. Contract: executions, what the function is sent. */
export function functionHeaders(
  request: ExecutionRequest,
  executionId: string,
  trigger: Trigger,
): Record<string, string> {
  // Assigned one by one: on the hot path a spread of another shape each time costs ten times as much.
  const headers = request.headers;
  headers['x-appwrite-execution-id'] = executionId;
  headers['x-appwrite-trigger'] = trigger;
  headers['x-appwrite-user-id'] = '';
  headers['x-appwrite-user-jwt'] = '';
  headers['x-appwrite-key'] = '';
  headers['x-appwrite-country-code'] = '';
  headers['x-appwrite-continent-code'] = '';
  headers['x-appwrite-continent-eu'] = 'false';
  headers['x-appwrite-client-ip'] = request.clientIp;
  return headers;
}

/** What of a function's request headers stays on record. */
export function keptRequestHeaders(headers: Record<string, string>): HeaderList {
  const kept: HeaderList = [];
  for (const name of KEPT_REQUEST_HEADERS) {
    const value = headers[name];
    if (value !== undefined) kept.push([name, value]);
  }
  return kept;
}
