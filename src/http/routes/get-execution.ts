import { Type } from 'typebox';
import { ExecutionModel, executionExample, toExecutionBody } from '../models/execution.js';
import { executionIdParameter, functionIdParameter } from '../parameters.js';
import { noteExecution } from '../request-log.js';
import type { HttpServices } from '../services.js';
import type { App } from '../types.js';

/** `GET /v1/functions/{functionId}/executions/{executionId}`, and `GET /v1/executions/{executionId}` by its id alone. */
export async function getExecution(app: App, services: HttpServices): Promise<void> {
  const response = { 200: { ...ExecutionModel, description: 'The execution.' } };
  const access = { scopes: ['executions.read'], guests: false };
  const examples = { 200: executionExample };
  app.get(
    '/functions/:functionId/executions/:executionId',
    {
      schema: {
        operationId: 'getExecution',
        tags: ['executions'],
        summary: 'Get an execution',
        params: Type.Object({ functionId: functionIdParameter, executionId: executionIdParameter }),
        response,
      },
      config: { access, examples, errors: ['function_not_found', 'execution_not_found'] },
    },
    async (request) => {
      const { functionId, executionId } = request.params;
      const execution = await services.executions.get(functionId, executionId, request.caller);
      noteExecution(request, execution);
      return toExecutionBody(execution, request.caller);
    },
  );
  app.get(
    '/executions/:executionId',
    {
      schema: {
        operationId: 'getExecutionById',
        tags: ['executions'],
        summary: 'Get an execution by its id alone',
        description: 'Ids of executions are unique over all functions.',
        params: Type.Object({ executionId: executionIdParameter }),
        response,
      },
      config: { access, examples, errors: ['execution_not_found'] },
    },
    async (request) => {
      const execution = await services.executions.get(null, request.params.executionId, request.caller);
      noteExecution(request, execution);
      return toExecutionBody(execution, request.caller);
    },
  );
}
