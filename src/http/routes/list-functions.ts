import {
  FunctionListModel,
  functionAttributes,
  functionExample,
  toFunctionBody,
} from '../models/function.js';
import { listParameters, toListQuery } from '../parameters.js';
import type { HttpServices } from '../services.js';
import type { App } from '../types.js';

/** `GET /v1/functions`. */
export async function listFunctions(app: App, services: HttpServices): Promise<void> {
  app.get(
    '/functions',
    {
      schema: {
        operationId: 'listFunctions',
        tags: ['functions'],
        summary: 'List functions',
        description: 'For API keys. Oldest first unless ordered otherwise, 25 unless limited otherwise.',
        querystring: listParameters(functionAttributes, 1),
        response: { 200: { ...FunctionListModel, description: 'A page of functions.' } },
      },
      config: {
        access: { scopes: ['functions.read'], guests: false },
        errors: ['general_query_invalid', 'general_cursor_not_found', 'database_query_order_null'],
        examples: { 200: { total: 1, functions: [functionExample] } },
      },
    },
    async ({ query }) => {
      const { total, functions } = await services.functions.list(toListQuery(query));
      return { total, functions: functions.map(toFunctionBody) };
    },
  );
}
