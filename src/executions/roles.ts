import { ApiError } from '../errors.js';
import type { FunctionRecord } from '../functions/types.js';
import type { ExecutionRequest } from './types.js';

const GUEST_ROLES = ['any', 'guests'];

/**
 * May this caller execute the function? Keys always may. Contract: management, who may do what.
 * @throws ApiError user_unauthorized, or function_execute_permission_missing for a direct call.
 */
export function checkExecuteRole(record: FunctionRecord, request: ExecutionRequest): void {
  if (request.caller.kind === 'key') return;
  if (record.execute.some((role) => GUEST_ROLES.includes(role))) return;
  if (request.direct) throw new ApiError('function_execute_permission_missing');
  const last = record.execute.at(-1);
  if (last === undefined) {
    throw new ApiError('user_unauthorized', "No permissions provided for action 'execute'");
  }
  throw new ApiError(
    'user_unauthorized',
    `Missing "execute" permission for role "${last}". Only "${JSON.stringify(GUEST_ROLES)}" scopes are allowed and "${JSON.stringify(record.execute)}" was given.`,
  );
}
