import { type Static, Type } from 'typebox';
import { toDate } from '../../dates.js';
import type { AttributeTable } from '../../db/query.js';
import type { HeaderList } from '../../engine/types.js';
import type { Caller, Execution, ExecutionResult } from '../../executions/types.js';

export const HeaderModel = Type.Object({ name: Type.String(), value: Type.String() }, { title: 'Header' });

export const ExecutionModel = Type.Object(
  {
    $id: Type.String({ description: '20 hex characters, ordered by time.' }),
    $createdAt: Type.String({ format: 'date-time' }),
    $updatedAt: Type.String({ format: 'date-time' }),
    $permissions: Type.Array(Type.String()),
    functionId: Type.String(),
    resourceId: Type.String({ description: 'The same as `functionId`.' }),
    resourceType: Type.String({ description: 'Always `functions`.' }),
    deploymentId: Type.String({ description: 'The deployment that ran.' }),
    trigger: Type.Enum(['http', 'schedule', 'event'], { type: 'string' }),
    status: Type.Enum(['waiting', 'processing', 'completed', 'failed', 'scheduled'], {
      type: 'string',
      description: '`failed` if the response has a status from 500 on, or none ever came.',
    }),
    requestMethod: Type.String(),
    requestPath: Type.String({ description: 'Path and query string.' }),
    requestHeaders: Type.Array(HeaderModel, {
      description: 'The few request headers that are kept on record.',
    }),
    responseStatusCode: Type.Integer({ description: '0 until it ends.' }),
    responseBody: Type.String({ description: "Only in the answer to a synchronous create; otherwise ''." }),
    responseHeaders: Type.Array(HeaderModel, {
      description: 'All in the answer to a synchronous create; otherwise content-type and content-length.',
    }),
    logs: Type.String({ description: 'Shown to API keys only. In lists its last 4,000 characters.' }),
    errors: Type.String({ description: 'Shown to API keys only. In lists its last 4,000 characters.' }),
    duration: Type.Number({ description: 'Seconds.' }),
    scheduledAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
  },
  { title: 'Execution', description: 'One run of a function.' },
);

export const ExecutionListModel = Type.Object(
  {
    total: Type.Integer({ description: 'Number of matches; stops at 5,000.' }),
    executions: Type.Array(ExecutionModel),
  },
  { title: 'ExecutionList' },
);

export type ExecutionBody = Static<typeof ExecutionModel>;

/** What lists of executions can be filtered and ordered by. */
export const executionAttributes: AttributeTable = {
  $id: { column: 'id', type: 'string' },
  $createdAt: { column: 'created_at', type: 'date' },
  $updatedAt: { column: 'updated_at', type: 'date' },
  $sequence: { column: 'seq', type: 'integer' },
  trigger: { column: 'trigger', type: 'string' },
  status: { column: 'status', type: 'string' },
  responseStatusCode: { column: 'response_status_code', type: 'integer' },
  duration: { column: 'duration', type: 'number' },
  requestMethod: { column: 'request_method', type: 'string' },
  requestPath: { column: 'request_path', type: 'string' },
  deploymentId: { column: 'deployment_id', type: 'string' },
  scheduledAt: { column: 'scheduled_at', type: 'date' },
};

/** What the list over all functions takes. */
export const allExecutionsAttributes: AttributeTable = {
  ...executionAttributes,
  functionId: { column: 'function_id', type: 'string' },
};

/** An execution on record, as this caller may see it. */
export function toExecutionBody(execution: Execution, caller: Caller): ExecutionBody {
  const isKey = caller.kind === 'key';
  return {
    $id: execution.id,
    $createdAt: toDate(execution.createdAt),
    $updatedAt: toDate(execution.updatedAt),
    $permissions: execution.userId === null ? [] : [`read("user:${execution.userId}")`],
    functionId: execution.functionId,
    resourceId: execution.functionId,
    resourceType: 'functions',
    deploymentId: execution.deploymentId,
    trigger: execution.trigger,
    status: execution.status,
    requestMethod: execution.requestMethod,
    requestPath: execution.requestPath,
    requestHeaders: toHeaders(execution.requestHeaders),
    responseStatusCode: execution.responseStatusCode,
    responseBody: '',
    responseHeaders: toHeaders(execution.responseHeaders),
    logs: isKey ? execution.logs : '',
    errors: isKey ? execution.errors : '',
    // Longer numbers reach some clients as objects.
    duration: Math.round(execution.duration * 1e6) / 1e6,
    scheduledAt: execution.scheduledAt === null ? null : toDate(execution.scheduledAt),
  };
}

/** The answer to a create, without its `responseBody`: that is for the handler to put in, as bytes or as text. */
export function toResultBody({ execution, response }: ExecutionResult, caller: Caller): ExecutionBody {
  const body = toExecutionBody(execution, caller);
  if (!response) return body;
  body.responseHeaders = toHeaders(response.headers);
  body.responseHeaders.push({ name: 'x-appwrite-execution-id', value: execution.id });
  return body;
}

const toHeaders = (headers: HeaderList): Static<typeof HeaderModel>[] =>
  headers.map(([name, value]) => ({ name, value }));

export const executionExample: ExecutionBody = {
  $id: '68b1c2d3e4f5a6b7c8d9',
  $createdAt: '2025-08-29T15:12:19.938+00:00',
  $updatedAt: '2025-08-29T15:12:19.941+00:00',
  $permissions: [],
  functionId: 'hello',
  resourceId: 'hello',
  resourceType: 'functions',
  deploymentId: '68b1c2a0b1c2d3e4f5a6',
  trigger: 'http',
  status: 'completed',
  requestMethod: 'POST',
  requestPath: '/greet?name=Ada',
  requestHeaders: [{ name: 'host', value: '127.0.0.1:3000' }],
  responseStatusCode: 200,
  responseBody: '',
  responseHeaders: [{ name: 'content-type', value: 'application/json' }],
  logs: 'Greeting Ada\n',
  errors: '',
  duration: 0.0021,
  scheduledAt: null,
};
