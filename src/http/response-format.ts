/** Request methods an execution may have. */
export const EXECUTION_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'] as const;

/**
 * The method of a create that names none: what the reference of the caller's own SDK says, POST from response format
 * 1.8.0 on, else GET. Contract: executions, default method.
 */
export function defaultMethod(responseFormat: string | undefined): 'GET' | 'POST' {
  const match = /^(\d+)\.(\d+)/.exec(responseFormat ?? '');
  if (!match) return 'GET';
  const major = Number(match[1]);
  return major > 1 || (major === 1 && Number(match[2]) >= 8) ? 'POST' : 'GET';
}
