import type { HeaderList } from '../engine/types.js';
import type { Execution } from './types.js';

const CLIENT_IP = 'x-appwrite-client-ip';

/** Request headers that stay on record. Contract: executions, the Execution. */
const KEPT_REQUEST_HEADERS = ['content-type', 'agent', 'content-length', 'host', 'user-agent'];

/**
 * Adds the server's own headers to those of the caller, which they win over: what a function sees. Contract: executions,
 * what the function is sent. They follow from the record, so they are not stored with what a waiting execution needs.
 */
export function addServerHeaders(
  headers: Record<string, string>,
  { id, trigger, requestHeaders }: Pick<Execution, 'id' | 'trigger' | 'requestHeaders'>,
): void {
  // Assigned one by one: on the hot path a spread of another shape each time costs ten times as much.
  headers['x-appwrite-execution-id'] = id;
  headers['x-appwrite-trigger'] = trigger;
  headers['x-appwrite-user-id'] = '';
  headers['x-appwrite-user-jwt'] = '';
  headers['x-appwrite-key'] = '';
  headers['x-appwrite-country-code'] = '';
  headers['x-appwrite-continent-code'] = '';
  headers['x-appwrite-continent-eu'] = 'false';
  headers[CLIENT_IP] = requestHeaders.find(([name]) => name === CLIENT_IP)?.[1] ?? '';
}

/** What of a function's request headers stays on record. */
export function keptRequestHeaders(headers: Record<string, string>, clientIp: string): HeaderList {
  const kept: HeaderList = [];
  for (const name of KEPT_REQUEST_HEADERS) {
    const value = headers[name];
    if (value !== undefined) kept.push([name, value]);
  }
  kept.push([CLIENT_IP, clientIp]);
  return kept;
}
