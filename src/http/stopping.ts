import { ApiError } from '../errors.js';
import type { HttpServices } from './services.js';

/** A hook for routes that start executions. */
export function refuseWhileStopping({ stopping }: HttpServices) {
  return (_request: unknown, _reply: unknown, done: (error?: Error) => void): void => {
    done(stopping() ? new ApiError('general_server_stopping') : undefined);
  };
}
