import { ApiError } from '../errors.js';
import type { HttpServices } from './services.js';

/** A hook for routes that start executions. */
export function refuseWhileStopping({ stopping }: HttpServices) {
  return async (): Promise<void> => {
    if (stopping()) throw new ApiError('general_server_stopping');
  };
}
