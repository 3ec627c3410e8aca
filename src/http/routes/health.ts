import { HealthModel, VersionModel } from '../models/health.js';
import type { HttpServices } from '../services.js';
import type { App } from '../types.js';

/** `GET /v1/health` and `GET /v1/health/version`: for everybody. */
export async function health(app: App, { version, sandboxLevel }: HttpServices): Promise<void> {
  app.get(
    '/health',
    {
      schema: {
        operationId: 'getHealth',
        tags: ['health'],
        summary: 'Whether the server answers',
        response: { 200: { ...HealthModel, description: 'It does.' } },
      },
      config: {
        access: 'public',
        level: 'debug',
        examples: { 200: { status: 'pass', version: '0.1.0', sandbox: 'bubblewrap' } },
      },
    },
    async () => ({ status: 'pass' as const, version, sandbox: sandboxLevel }),
  );
  app.get(
    '/health/version',
    {
      schema: {
        operationId: 'getVersion',
        tags: ['health'],
        summary: "The server's version",
        response: { 200: { ...VersionModel, description: 'The version.' } },
      },
      config: {
        access: 'public',
        consoleProject: true,
        level: 'debug',
        examples: { 200: { version: '0.1.0' } },
      },
    },
    async () => ({ version }),
  );
}
