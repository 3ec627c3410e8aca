import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeFunctions } from '../support/functions-folder.js';
import { type ExecutionListModel, type ExecutionModel, request } from '../support/request.js';
import { composeCommand, hasDocker, missing } from '../support/requirements.js';
import { temporaryFolder } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NAME = `executions-server-test-${process.pid}`;
const KEY = 'key-of-the-docker-tests';
const HEALTH_DEADLINE_MS = 120_000;

/** A port that is free at this moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Runs a command to its end and returns its stdout; throws with all it wrote unless it ends with 0. */
function run(command: string[], env: Record<string, string> = {}): string {
  const [file = '', ...args] = command;
  const result = spawnSync(file, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.status === 0) return result.stdout.trim();
  throw new Error(`${command.join(' ')}: ${result.status}\n${result.stdout}\n${result.stderr}`);
}

const compose = composeCommand();
const absent = missing('a Docker engine with Compose', compose !== undefined && hasDocker());

describe.skipIf(absent)('the container', () => {
  const folder = temporaryFolder();
  const functions = join(folder, 'functions');
  let url = '';
  let settings: Record<string, string> = {};

  /** Docker Compose on the file of the repository with a functions folder of ours, under a name of its own. */
  const composeRun = (...args: string[]): string => {
    const files = ['-f', 'docker-compose.yml', '-f', join(folder, 'override.yml')];
    return run([...(compose ?? []), '-p', NAME, ...files, ...args], settings);
  };
  /** The container of the service, also when it has ended. */
  const container = (): string =>
    run(['docker', 'ps', '-aq', '--filter', `label=com.docker.compose.project=${NAME}`]);
  const inspect = (format: string): string => run(['docker', 'inspect', '--format', format, container()]);
  const execute = (parameters: object) =>
    request<ExecutionModel>(url, 'POST', '/v1/functions/echo/executions', { key: KEY, body: parameters });

  const up = async (): Promise<void> => {
    composeRun('up', '-d', '--no-build');
    await waitFor(
      'the container is healthy',
      () => inspect('{{.State.Health.Status}}') === 'healthy',
      HEALTH_DEADLINE_MS,
    );
  };

  beforeAll(async () => {
    writeFunctions(functions, {
      echo: 'export default ({ req, res, log }) => { log("seen"); return res.json({ body: req.bodyText, uid: process.getuid() }); };\n',
    });
    const override = { services: { server: { volumes: [`${functions}:/functions:ro`] } } };
    writeFileSync(join(folder, 'override.yml'), JSON.stringify(override)); // JSON is YAML.
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    settings = { IMAGE: NAME, PUBLISH: `127.0.0.1:${port}`, API_KEY: KEY };
    // The host's network, since the package registries may be reached from there only.
    run(['docker', 'build', '--network=host', '-t', NAME, '.']);
    await up();
  });

  afterAll(() => {
    composeRun('down', '--volumes');
    spawnSync('docker', ['rmi', NAME], { stdio: 'ignore' });
    rmSync(folder, { recursive: true, force: true });
  });

  test('runs functions in the bubblewrap sandbox', async () => {
    const health = await request<Record<string, unknown>>(url, 'GET', '/v1/health', { key: KEY });
    expect(health.status).toBe(200);
    expect(JSON.stringify(health.body)).toContain('"bubblewrap"');
    const { status, body } = await execute({ body: 'hello', method: 'POST' });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      status: 'completed',
      responseStatusCode: 200,
      logs: expect.stringContaining('seen'),
    });
    expect(JSON.parse(body.responseBody)).toMatchObject({ body: 'hello' });
  });

  test('runs as a user without privileges, on a read-only file system', () => {
    const shell = (script: string) => run(['docker', 'exec', container(), 'sh', '-c', script]);
    expect(shell('id -u')).toBe('1000');
    // The real user of every process in the container.
    const users = shell(`awk '/^Uid:/ { print $2 }' /proc/[0-9]*/status 2>/dev/null || true`).split('\n');
    expect(new Set(users)).toEqual(new Set(['1000']));
    expect(shell('grep CapEff /proc/self/status')).toMatch(/\b0+$/);
    expect(shell('touch /app/x 2>/dev/null && echo written || echo refused')).toBe('refused');
  });

  test('ends cleanly on SIGTERM, and the records outlive the container', async () => {
    const created = await execute({ body: 'kept', async: true });
    expect(created.status).toBe(202);
    const path = `/v1/functions/echo/executions/${created.body.$id}`;
    await waitFor('the async execution completes', async () => {
      const { body } = await request<ExecutionModel>(url, 'GET', path, { key: KEY });
      return body.status === 'completed';
    });
    const list = '/v1/functions/echo/executions';
    const before = await request<ExecutionListModel>(url, 'GET', list, { key: KEY });

    composeRun('stop');
    // 137 if it had to be killed after the grace time.
    expect(inspect('{{.State.ExitCode}}')).toBe('0');
    composeRun('down');
    await up();

    const after = await request<ExecutionListModel>(url, 'GET', list, { key: KEY });
    expect(after.body).toEqual(before.body);
    expect(after.body.executions.map((execution) => execution.$id)).toContain(created.body.$id);
    expect((await execute({ body: 'again' })).body.status).toBe('completed');
  });
});
