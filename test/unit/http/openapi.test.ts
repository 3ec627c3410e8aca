import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildApp } from '../../../src/http/app.js';
import { makeServices } from './services.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
let app: FastifyInstance;

beforeAll(async () => {
  app = await buildApp(makeServices({ version }));
});
afterAll(() => app.close());

it('openapi.yaml is what the routes say (else: npm run build && npm run openapi)', async () => {
  const answer = await app.inject('/openapi.yaml');
  expect(answer.headers['content-type']).toMatch(/yaml/);
  expect(answer.body).toBe(readFileSync(`${root}openapi.yaml`, 'utf8'));
});

it('describes every operation once, below /v1 and with examples and errors', async () => {
  const api = (await app.inject('/openapi.json')).json();
  expect(api.openapi).toBe('3.1.0');
  expect(api.servers).toEqual([{ url: '/v1' }]);
  expect(Object.keys(api.paths).sort()).toEqual([
    '/executions',
    '/executions/{executionId}',
    '/f/{functionId}/{path}',
    '/functions',
    '/functions/runtimes',
    '/functions/{functionId}',
    '/functions/{functionId}/executions',
    '/functions/{functionId}/executions/{executionId}',
    '/health',
    '/health/version',
  ]);
  const { post } = api.paths['/functions/{functionId}/executions'];
  expect(post.operationId).toBe('createExecution');
  expect(Object.keys(post.responses)).toEqual(
    expect.arrayContaining(['201', '202', '400', '401', '404', '408', '413', '415', '500', '503']),
  );
  expect(post.requestBody.content['application/json'].example).toMatchObject({ method: 'POST' });
  expect(api.components.schemas.ExecutionRequest.properties.method.default).toBe('GET');
  expect(api.components.schemas.ExecutionRequest.required).toBeUndefined();
  expect(api.components.schemas.Execution.required).toContain('$id');
  expect(api.components.schemas.ExecutionList.properties.executions.items).toEqual({
    $ref: '#/components/schemas/Execution',
  });
});

it('has nothing a validator complains about', () => {
  const redocly = createRequire(import.meta.url).resolve('@redocly/cli/bin/cli.js');
  const report = execFileSync(process.execPath, [redocly, 'lint', 'openapi.yaml', '--format=json'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env.PATH, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
  });
  expect(JSON.parse(report)).toMatchObject({ totals: { errors: 0, warnings: 0 }, problems: [] });
});

it('is shown by Swagger UI, with nothing from elsewhere', async () => {
  const page = await app.inject('/docs/');
  expect(page.statusCode).toBe(200);
  expect(page.headers['content-security-policy']).toContain("default-src 'self'");
  expect(page.body).not.toMatch(/(?:src|href)="https?:/);
  const scripts = [...page.body.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map(([, path]) => path!);
  expect(scripts.length).toBeGreaterThan(2);
  for (const path of scripts) {
    expect((await app.inject(new URL(path, 'http://x/docs/').pathname)).statusCode).toBe(200);
  }
});
