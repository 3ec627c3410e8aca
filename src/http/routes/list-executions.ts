import { Type } from 'typebox';
import type { ListQuery } from '../../db/query.js';
import type { Caller } from '../../executions/types.js';
import {
  allExecutionsAttributes,
  ExecutionListModel,
  executionAttributes,
  executionExample,
  toExecutionBody,
} from '../models/execution.js';
import { functionIdParameter, listParameters, toListQuery } from '../parameters.js';
import type { HttpServices } from '../services.js';
import type { App } from '../types.js';

/** `GET /v1/functions/{functionId}/executions`, and `GET /v1/executions` over all functions. */
export async function listExecutions(app: App, services: HttpServices): Promise<void> {
  const list = async (functionId: string | null, query: ListQuery, caller: Caller) => {
    const { total, executions } = await services.executions.list(functionId, query, caller);
    return { total, executions: executions.map((execution) => toExecutionBody(execution, caller)) };
  };
  const response = { 200: { ...ExecutionListModel, description: 'A page of executions.' } };
  const config = {
    access: { scopes: ['executions.read'], guests: false },
    examples: { 200: { total: 1, executions: [executionExample] } },
  };
  const errors = ['general_query_invalid', 'general_cursor_not_found', 'database_query_order_null'] as const;
  app.get(
    '/functions/:functionId/executions',
    {
      schema: {
        operationId: 'listExecutions',
        tags: ['executions'],
        summary: 'List the executions of a function',
        description: 'Oldest first unless ordered otherwise, 25 unless limited otherwise.',
        params: Type.Object({ functionId: functionIdParameter }),
        querystring: listParameters(executionAttributes, 0),
        response,
      },
      config: { ...config, errors: [...errors, 'function_not_found', 'database_timeout'] },
    },
    async ({ params, query, caller }) => list(params.functionId, toListQuery(query), caller),
  );
  app.get(
    '/executions',
    {
      schema: {
        operationId: 'listAllExecutions',
        tags: ['executions'],
        summary: 'List the executions of all functions',
        description: 'For API keys. Takes the same queries as the list of one function, and `functionId`.',
        querystring: listParameters(allExecutionsAttributes, 0),
        response,
      },
      config: { ...config, errors: [...errors, 'database_timeout'] },
    },
    async ({ query, caller }) => list(null, toListQuery(query), caller),
  );
}
