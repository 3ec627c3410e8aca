/**
 * The catalogue of errors a client can get: each `type` of the contract with its HTTP status and its
 * default message. Domain code throws `new ApiError(type)`; only `http/errors.ts` turns it into an answer.
 */
const catalogue = {
  general_argument_invalid: [
    400,
    'The request contains one or more invalid arguments. Please refer to the endpoint documentation.',
  ],
  general_bad_request: [
    400,
    'There was an error processing your request. Please check the inputs and try again.',
  ],
  general_query_invalid: [400, 'The query is invalid. Please check the query syntax and try again.'],
  general_cursor_not_found: [400, 'The item the cursor names could not be found.'],
  database_query_order_null: [400, 'The order attribute has a null value, so the cursor has no place in it.'],
  build_not_ready: [400, 'Build with the requested ID is building and not ready for execution.'],
  execution_in_progress: [
    400,
    'The execution is still in progress. Wait until it has ended before deleting it.',
  ],
  user_unauthorized: [401, 'The current user is not authorized to perform the requested action.'],
  user_jwt_invalid: [401, 'Failed to verify JWT.'],
  general_unauthorized_scope: [401, 'The caller lacks the scopes this endpoint needs.'],
  function_execute_permission_missing: [
    401,
    'To call this function directly, its "execute" roles must contain "any" or "guests".',
  ],
  project_key_expired: [401, 'The API key has expired. Create a new one.'],
  general_route_not_found: [
    404,
    'Route not found. Please ensure the endpoint is configured correctly and that the API route is valid for this SDK version. Refer to the API docs for more details.',
  ],
  project_not_found: [
    404,
    'Project with the requested ID could not be found. Please check the value of the X-Appwrite-Project header to ensure the correct project ID is being used.',
  ],
  function_not_found: [404, 'Function with the requested ID could not be found.'],
  function_runtime_unsupported: [404, 'The requested runtime is not supported.'],
  deployment_not_found: [404, 'Deployment with the requested ID could not be found.'],
  execution_not_found: [404, 'Execution with the requested ID could not be found.'],
  function_synchronous_timeout: [
    408,
    'Synchronous function execution timed out after 30 seconds. Use asynchronous execution for longer work, or make the function faster.',
  ],
  database_timeout: [408, 'The query took too long. Narrow it with a filter on an indexed attribute.'],
  general_queue_full: [503, 'Too many executions of this function are waiting. Try again shortly.'],
  general_server_stopping: [503, 'The server is stopping. Try again shortly.'],
  general_not_implemented: [501, 'This server does not offer this.'],
  general_unknown: [500, 'Server Error'],
} as const satisfies Record<string, readonly [number, string]>;

export type ErrorType = keyof typeof catalogue;

/** All error types with their statuses, for the API description. */
export const errorTypes: ReadonlyMap<ErrorType, { status: number; message: string }> = new Map(
  (Object.keys(catalogue) as ErrorType[]).map((type) => [
    type,
    { status: catalogue[type][0], message: catalogue[type][1] },
  ]),
);

/** An error that is meant for the client. `message` and `status` default to the catalogue's. */
export class ApiError extends Error {
  readonly type: ErrorType;
  readonly status: number;
  /** Extra response headers, e.g. `retry-after`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    type: ErrorType,
    message?: string,
    options: { status?: number; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message ?? catalogue[type][1], { cause: options.cause });
    this.name = 'ApiError';
    this.type = type;
    this.status = options.status ?? catalogue[type][0];
    this.headers = options.headers ?? {};
  }
}

/** A problem that stops the server from starting; its message says what to change. No stack is printed. */
export class StartupError extends Error {
  override name = 'StartupError';
}
