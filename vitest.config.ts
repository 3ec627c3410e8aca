import { defineConfig } from 'vitest/config';

/** `unit` needs nothing but the sources; `api`, `process`, `attacks` and `docker` start the built server. */
const project = (name: string, options: object = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    environment: 'node',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    ...options,
  },
});

export default defineConfig({
  test: {
    projects: [
      project('unit'),
      project('api', { maxWorkers: 2 }),
      project('process', { maxWorkers: 1 }),
      project('attacks', { maxWorkers: 1 }),
      project('docker', { maxWorkers: 1, testTimeout: 900_000, hookTimeout: 1_800_000 }),
    ],
  },
});
