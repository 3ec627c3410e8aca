import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transform } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type TestServer } from '../support/server.js';

/** A client generated from the file of the repository, as a stranger would make one. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
// Below node_modules, so that the client finds its packages.
const CACHE = join(ROOT, 'node_modules', '.cache');

const CLIENT = `
import createClient from 'openapi-fetch';
import type { paths } from './schema.js';

export async function use(baseUrl: string, key: string) {
  const client = createClient<paths>({ baseUrl: baseUrl + '/v1', headers: { 'X-Appwrite-Key': key } });
  const path = { functionId: 'echo' };
  const created = await client.POST('/functions/{functionId}/executions', {
    params: { path },
    body: { body: 'typed', path: '/there', method: 'PUT', headers: { 'x-a': '1' } },
  });
  if (!created.data) throw new Error(JSON.stringify(created.error));
  const id: string = created.data.$id;
  const list = await client.GET('/functions/{functionId}/executions', { params: { path } });
  const got = await client.GET('/functions/{functionId}/executions/{executionId}', {
    params: { path: { ...path, executionId: id } },
  });
  const missing = await client.GET('/functions/{functionId}', { params: { path: { functionId: 'nope' } } });
  return {
    body: created.data.responseBody,
    status: got.data?.status,
    total: list.data?.total,
    error: missing.error?.type,
  };
}
`;

let folder: string;
let server: TestServer;

const run = (script: string, ...args: string[]) => {
  const result = spawnSync(process.execPath, [join(ROOT, 'node_modules', script), ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { code: result.status, output: result.stdout + result.stderr };
};

beforeAll(async () => {
  mkdirSync(CACHE, { recursive: true });
  folder = mkdtempSync(join(CACHE, 'openapi-client-'));
  server = await startServer({
    functions: {
      echo: `export default ({ req, res }) => res.text([req.method, req.path, req.bodyText].join(' '))`,
    },
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a generated TypeScript client compiles, and works against the server', async () => {
  const generated = run(
    'openapi-typescript/bin/cli.js',
    join(ROOT, 'openapi.yaml'),
    ...['-o', 'schema.d.ts', '--default-non-nullable=false'],
  );
  expect(generated).toMatchObject({ code: 0 });
  writeFileSync(join(folder, 'client.ts'), CLIENT);
  const compiled = run(
    'typescript/bin/tsc',
    ...['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022', 'client.ts'],
  );
  expect(compiled).toEqual({ code: 0, output: '' });
  const { code } = await transform(readFileSync(join(folder, 'client.ts'), 'utf8'), { loader: 'ts' });
  writeFileSync(join(folder, 'client.mjs'), code);
  const { use } = await import(pathToFileURL(join(folder, 'client.mjs')).href);
  expect(await use(server.url, server.apiKey)).toEqual({
    body: 'PUT /there typed',
    status: 'completed',
    total: 1,
    error: 'function_not_found',
  });
});
