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
  return {
    ...request.headers,
    'x-appwrite-execution-id': executionId,
    'x-appwrite-trigger': trigger,
    'x-appwrite-user-id': '',
    'x-appwrite-user-jwt': '',
    'x-appwrite-key': '',
    'x-appwrite-country-code': '',
    'x-appwrite-continent-code': '',
    'x-appwrite-continent-eu': 'false',
    'x-appwrite-client-ip': request.clientIp,
  };
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
