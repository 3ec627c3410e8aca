import type { HeaderList } from '../engine/types.js';

export type ExecutionStatus = 'waiting' | 'processing' | 'completed' | 'failed' | 'scheduled';
export type Trigger = 'http' | 'schedule' | 'event';

/** One execution as it is on record. Times are ms since 1970. */
export interface Execution {
  seq: number;
  id: string;
  functionId: string;
  deploymentId: string;
  trigger: Trigger;
  status: ExecutionStatus;
  requestMethod: string;
  requestPath: string;
  requestHeaders: HeaderList;
  responseStatusCode: number;
  responseHeaders: HeaderList;
  /** Seconds. */
  duration: number;
  createdAt: number;
  updatedAt: number;
  scheduledAt: number | null;
  /** The user who may read it. */
  userId: string | null;
  logs: string;
  errors: string;
}

/** Who calls. A key sees and may do everything its scopes allow; a guest is nobody in particular. */
export type Caller = { kind: 'key'; id: string; scopes: readonly string[] } | { kind: 'guest' };

/** What a caller asks to run; the wire's defaults are filled in already. */
export interface ExecutionRequest {
  functionId: string;
  caller: Caller;
  async: boolean;
  /** Path with query string, starting with `/`. */
  path: string;
  method: string;
  /** The caller's headers for the function, names in lower case. */
  headers: Record<string, string>;
  body: Buffer;
  clientIp: string;
  /** Direct calls need a function that `any` or `guests` may execute. */
  direct: boolean;
}

/** A sync execution that has ended, with the response that is not kept on record. */
export interface ExecutionResult {
  execution: Execution;
  /** `null` for an async execution. */
  response: { status: number; headers: HeaderList; body: Buffer } | null;
}

/** What a waiting execution needs to run. */
export interface Input {
  headers: Record<string, string>;
  body: Buffer;
}

/** How it ended. */
export interface Ending {
  status: ExecutionStatus;
  responseStatusCode: number;
  responseHeaders: HeaderList;
  /** Seconds. */
  duration: number;
  logs: string;
  errors: string;
  at: number;
}

/** What of an execution can be searched for. */
export interface SearchText {
  seq: number;
  status: ExecutionStatus;
  id: string;
  path: string;
  logs: string;
  errors: string;
}
