import { Type } from 'typebox';
import { executionIdParameter, functionIdParameter } from '../parameters.js';
import type { HttpServices } from '../services.js';
import type { App } from '../types.js';

/** `DELETE /v1/functions/{functionId}/executions/{executionId}`: API keys only. */
export async function deleteExecution(app: App, services: HttpServices): Promise<void> {
  app.delete(
    '/functions/:functionId/executions/:executionId',
    {
      schema: {
        operationId: 'deleteExecution',
        tags: ['executions'],
        summary: 'Delete an execution',
        description: 'For API keys. Only an execution that has ended, or has not started yet (`scheduled`).',
        params: Type.Object({ functionId: functionIdParameter, executionId: executionIdParameter }),
        response: { 204: Type.Null({ description: 'It is gone.' }) },
      },
      config: {
        access: { scopes: ['executions.write', 'execution.write'], guests: false },
        errors: ['execution_in_progress', 'function_not_found', 'execution_not_found'],
      },
    },
    async (request, reply) => {
      const { functionId, executionId } = request.params;
      request.noted = { functionId, executionId };
      await services.executions.delete(functionId, executionId);
      return reply.code(204).send(null);
    },
  );
}
