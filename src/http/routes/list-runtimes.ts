import { RuntimeListModel, runtimeExample } from '../models/runtime.js';
import type { HttpServices } from '../services.js';
import type { App } from '../types.js';

/** `GET /v1/functions/runtimes`: for everybody. */
export async function listRuntimes(app: App, services: HttpServices): Promise<void> {
  app.get(
    '/functions/runtimes',
    {
      schema: {
        operationId: 'listRuntimes',
        tags: ['functions'],
        summary: 'List the runtimes that are offered',
        response: { 200: { ...RuntimeListModel, description: 'All runtimes.' } },
      },
      config: { access: 'public', examples: { 200: { total: 1, runtimes: [runtimeExample] } } },
    },
    async () => {
      const runtimes = services.runtimes.list();
      return { total: runtimes.length, runtimes };
    },
  );
}
