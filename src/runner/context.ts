import type { ExecutionLogger } from './logger.js';
import { createRequest, type FunctionRequest, type RequestParts } from './request.js';
import { createResponders, type Responders } from './response.js';

/** The one argument of a function. Contract: function-context. */
export interface FunctionContext {
  req: FunctionRequest;
  res: Responders;
  log(...values: unknown[]): void;
  error(...values: unknown[]): void;
}

export function createContext(request: RequestParts, logger: ExecutionLogger): FunctionContext {
  return {
    req: createRequest(request),
    res: createResponders(),
    log: (...values) => logger.log(values),
    error: (...values) => logger.error(values),
  };
}
