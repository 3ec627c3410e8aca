import pino from 'pino';
import type { HttpServices } from '../../../src/http/services.js';

const unreachable = async (): Promise<never> => {
  throw new Error('nothing in these tests may reach the services');
};

/** The key that `services` knows, with the scopes it names. */
export const KEY = 'standard_secret';

/** Services for what the http layer answers by itself: they know one key and take no call. */
export function makeServices(overrides: Partial<HttpServices> = {}): HttpServices {
  return {
    config: { projectId: 'default', trustProxy: false, logLevel: 'silent' },
    version: '0.1.0',
    sandboxLevel: 'process',
    log: pino({ level: 'silent' }),
    keys: {
      find: async (secret) =>
        secret === KEY ? { id: 'key', scopes: ['executions.read', 'execution.write'] } : null,
    },
    functions: { get: unreachable, list: unreachable },
    runtimes: { list: () => [] },
    executions: { create: unreachable, list: unreachable, get: unreachable, delete: unreachable },
    stopping: () => false,
    ...overrides,
  };
}
