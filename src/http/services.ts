import type { Logger } from 'pino';
import type { ListQuery } from '../db/query.js';
import type { Caller, Execution, ExecutionRequest, ExecutionResult } from '../executions/types.js';
import type { FunctionRecord } from '../functions/types.js';
import type { Runtime } from './models/runtime.js';

/** What the http layer needs of the rest of the server. `server.ts` brings it. */
export interface HttpServices {
  config: {
    projectId: string;
    /** Where clients reach this server, if it can't tell from their requests. */
    publicUrl?: string | undefined;
    trustProxy: boolean;
    logLevel: string;
  };
  version: string;
  sandboxLevel: string;
  log: Logger;
  keys: {
    /** The key with this secret, or null. Compares in constant time. */
    find(secret: string): Promise<{ id: string; scopes: readonly string[] } | null>;
  };
  functions: {
    get(id: string): Promise<FunctionRecord | null>;
    list(query: ListQuery): Promise<{ total: number; functions: FunctionRecord[] }>;
  };
  runtimes: { list(): Runtime[] };
  /** The checks from number 4 on of the contract's `executions.md`, and every 404, are made in here. */
  executions: {
    create(request: ExecutionRequest): Promise<ExecutionResult>;
    /** `functionId` null: over all functions. */
    list(
      functionId: string | null,
      query: ListQuery,
      caller: Caller,
    ): Promise<{ total: number; executions: Execution[] }>;
    /** `functionId` null: whichever function's it is. */
    get(functionId: string | null, executionId: string, caller: Caller): Promise<Execution>;
    delete(functionId: string, executionId: string): Promise<void>;
  };
  /** Whether the server has begun to stop and takes no new executions. */
  stopping(): boolean;
}
