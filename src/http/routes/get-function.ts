import { Type } from 'typebox';
import { ApiError } from '../../errors.js';
import { FunctionModel, functionExample, toFunctionBody } from '../models/function.js';
import { functionIdParameter } from '../parameters.js';
import type { HttpServices } from '../services.js';
import type { App } from '../types.js';

/** `GET /v1/functions/{functionId}`. */
export async function getFunction(app: App, services: HttpServices): Promise<void> {
  app.get(
    '/functions/:functionId',
    {
      schema: {
        operationId: 'getFunction',
        tags: ['functions'],
        summary: 'Get a function',
        description: 'For API keys.',
        params: Type.Object({ functionId: functionIdParameter }),
        response: { 200: { ...FunctionModel, description: 'The function.' } },
      },
      config: {
        access: { scopes: ['functions.read'], guests: false },
        errors: ['function_not_found'],
        examples: { 200: functionExample },
      },
    },
    async ({ params }) => {
      const record = await services.functions.get(params.functionId);
      if (!record) throw new ApiError('function_not_found');
      return toFunctionBody(record);
    },
  );
}
