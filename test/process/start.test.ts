import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import BetterSqlite3 from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { hasBubblewrap, missing } from '../support/requirements.js';
import { prepareServer, startServer, type TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

const HELLO = { hello: `export default ({ req, res }) => res.text('hello ' + req.bodyText)` };
const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** Runs a subcommand beside (or without) a server. */
function command(server: TestServer, ...args: string[]) {
  return spawnSync(process.execPath, [MAIN, ...args], {
    cwd: server.folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, DATA_DIR: server.dataDirectory, FUNCTIONS_DIR: server.functionsDirectory },
  });
}

/** Starts it and gives what it said when it ended instead. */
async function refusal(server: TestServer, env: Record<string, string> = {}): Promise<string> {
  server.launch(env);
  const { code } = await server.exited;
  expect(code).toBe(1);
  expect(server.output).not.toMatch(/^\s+at /m);
  return server.output;
}

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('the first start', () => {
  test('makes the data folder and a key, and prints a curl line that works', async () => {
    const server = prepareServer({ functions: HELLO, apiKey: null });
    await server.start();
    // It is printed after the line about listening, for it names the address.
    const curl = await waitFor('the curl line is printed', () => server.output.match(/^\s*(curl .+)$/m)?.[1]);
    const execution = JSON.parse(
      execFileSync('sh', ['-c', curl], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    );
    expect(execution).toMatchObject({ functionId: 'hello', status: 'completed', responseStatusCode: 200 });
    expect(mode(server.dataDirectory)).toBe('711');
    expect(mode(join(server.dataDirectory, 'db'))).toBe('700');
    expect(mode(join(server.dataDirectory, 'artifacts'))).toBe('711');
    expect(server.log.filter(({ msg }) => msg === 'listening')).toHaveLength(1);
    const [key] = server.output.match(/standard_[0-9a-f]+/)!;

    await server.stop();
    server.output = '';
    await server.start();
    const { status } = await server.request('GET', '/v1/functions', { key });
    expect(status).toBe(200);
    await server.stop(); // So that all it would print has been printed.
    expect(server.output).not.toMatch(/standard_|curl /);
  });

  test('with API_KEY set none is made', async () => {
    const server = await startServer({ functions: HELLO, apiKey: 'chosen-by-the-operator' });
    expect((await server.request('GET', '/v1/functions')).status).toBe(200);
    await server.stop();
    expect(server.output).not.toMatch(/standard_|chosen-by-the-operator/);
  });

  test('a .env file is read, and the environment wins', async () => {
    const server = prepareServer({ functions: HELLO, apiKey: null });
    writeFileSync(join(server.folder, '.env'), 'API_KEY=from-the-dot-env-file\nPROJECT_ID=mine\n');
    await server.start({ PROJECT_ID: 'other' });
    const call = (project: string) =>
      server.request('GET', '/v1/functions', {
        key: 'from-the-dot-env-file',
        headers: { 'x-appwrite-project': project },
      });
    expect((await call('other')).status).toBe(200);
    expect((await call('mine')).status).toBe(404);
  });
});

describe('a start that can’t succeed ends with code 1 and says what to change', () => {
  test('a second server on the same folder', async () => {
    const server = await startServer({ functions: HELLO });
    const second = prepareServer({ functions: HELLO, env: { DATA_DIR: server.dataDirectory } });
    expect(await refusal(second)).toMatch(/another server .*DATA_DIR/is);
    expect((await server.execute('hello')).status).toBe(201);
  });

  test('the lock is free again after kill -9', async () => {
    const server = await startServer({ functions: HELLO });
    await server.kill();
    await server.start();
    expect((await server.execute('hello')).status).toBe(201);
  });

  test('a port that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    expect(await refusal(prepareServer({ functions: HELLO }), { PORT: String(port) })).toMatch(
      new RegExp(`${port}.*PORT`, 's'),
    );
    taken.close();
  });

  test('bad settings, all of them at once', async () => {
    const output = await refusal(prepareServer(), {
      PORT: 'many',
      SANDBOX: 'gold',
      EXECUTION_RETENTION_DAYS: '-1',
    });
    expect(output).toMatch(/PORT.*many/);
    expect(output).toMatch(/SANDBOX.*gold.*bubblewrap/);
    expect(output).toMatch(/EXECUTION_RETENTION_DAYS.*-1/);
  });

  test('a file where the data folder should be', async () => {
    const server = prepareServer();
    writeFileSync(server.dataDirectory, 'in the way');
    expect(await refusal(server)).toMatch(/DATA_DIR/);
  });

  test('a database of a newer version', async () => {
    const server = await startServer({ functions: HELLO });
    await server.stop();
    const database = new BetterSqlite3(join(server.dataDirectory, 'db', 'executions.sqlite'));
    database
      .prepare('INSERT INTO __drizzle_migrations (hash, created_at) VALUES (?, ?)')
      .run('future', Date.now() + 1e12);
    database.close();
    expect(await refusal(server)).toMatch(/newer version/);
  });

  // In a mount namespace of its own, where bubblewrap can't be started.
  const withoutBubblewrap = [
    ...['unshare', ...(process.getuid?.() === 0 ? [] : ['--map-root-user']), '--mount', 'sh', '-c'],
    'mount --bind /dev/null "$(command -v bwrap)" && exec "$@"',
    'sh',
  ];
  const linux = describe.skipIf(missing('bubblewrap', hasBubblewrap()));

  linux('where bubblewrap does not work', () => {
    test('an address others can reach is refused unless the level process is named', async () => {
      const env = { HOST: '0.0.0.0' };
      const server = prepareServer({ functions: HELLO, prefix: withoutBubblewrap });
      expect(await refusal(server, env)).toMatch(/SANDBOX=process/);
      await server.start({ SANDBOX: 'process' });
      const { body } = await server.request<{ sandbox: string }>('GET', '/v1/health');
      expect(body.sandbox).toBe('process');
      expect((await server.execute('hello', { body: 'you' })).body).toMatchObject({
        responseBody: 'hello you',
      });
    });

    test('on a loopback address it starts at the level process, and says why', async () => {
      const server = await prepareServer({ functions: HELLO, prefix: withoutBubblewrap }).start();
      expect(
        server.log.some(({ level, msg }) => Number(level) >= 40 && /bubblewrap|bwrap/i.test(String(msg))),
      ).toBe(true);
      expect((await server.execute('hello', { body: 'you' })).body).toMatchObject({
        responseBody: 'hello you',
      });
    });

    test('a level that is named is never replaced by a weaker one', async () => {
      const server = prepareServer({ prefix: withoutBubblewrap });
      expect(await refusal(server, { SANDBOX: 'bubblewrap' })).toMatch(/SANDBOX=bubblewrap/);
    });
  });

  test('a sandbox level that there is not yet', async () => {
    expect(await refusal(prepareServer(), { SANDBOX: 'user' })).toMatch(/SANDBOX=user/);
  });
});

describe('functions', () => {
  test('one bad function is reported and skipped', async () => {
    const server = await startServer({
      functions: {
        ...HELLO,
        broken: { 'src/main.ts': 'export default (: nonsense' },
        empty: { 'readme.txt': 'no code' },
      },
    });
    expect((await server.execute('hello')).body.status).toBe('completed');
    expect((await server.execute('broken')).status).toBe(404);
    const reported = server.log
      .filter(({ level }) => Number(level) >= 40)
      .map((line) => JSON.stringify(line))
      .join('\n');
    expect(reported).toMatch(/broken/);
    expect(reported).toMatch(/empty/);
  });

  test('changed code becomes a new deployment at the next start, unchanged code does not', async () => {
    const server = await startServer({ functions: HELLO });
    const deployment = async () => (await server.execute('hello', { body: '!' })).body;
    const first = await deployment();
    await server.stop();
    await server.start();
    expect((await deployment()).deploymentId).toBe(first.deploymentId);
    await server.stop();
    writeFileSync(
      join(server.functionsDirectory, 'hello/src/main.mjs'),
      `export default ({ res }) => res.text('new')`,
    );
    await server.start();
    const second = await deployment();
    expect(second.responseBody).toBe('new');
    expect(second.deploymentId).not.toBe(first.deploymentId);
    expect((await server.getExecution('hello', first.$id)).deploymentId).toBe(first.deploymentId);
  });

  test('TypeScript runs without a build step, with its local imports', async () => {
    const server = await startServer({
      functions: {
        typed: {
          'src/main.ts': `import { shout } from './shout.ts';
            type Context = { req: { bodyText: string }; res: { text(body: string): unknown } };
            enum Mark { End = '!' }
            export default ({ req, res }: Context) => res.text(shout(req.bodyText) + Mark.End);`,
          'src/shout.ts': `export const shout = (text: string): string => text.toUpperCase();`,
        },
      },
    });
    expect((await server.execute('typed', { body: 'hey' })).body).toMatchObject({ responseBody: 'HEY!' });
  });
});

describe('subcommands beside a running server', () => {
  test('keys work at once when made, and stop working when deleted', async () => {
    const server = await startServer({ functions: HELLO });
    const made = command(server, 'keys', 'create', '--name', 'ci');
    expect(made.status).toBe(0);
    const [key] = made.stdout.match(/standard_[0-9a-f]+/)!;
    const call = async () => (await server.request('GET', '/v1/functions', { key })).status;
    expect(await call()).toBe(200);
    const listed = command(server, 'keys', 'list').stdout;
    expect(listed).toMatch(/ci/);
    expect(listed).not.toContain(key);
  });

  test('backup gives a database with everything in it, and overwrites nothing', async () => {
    const server = await startServer({ functions: HELLO });
    const { body } = await server.execute('hello');
    const file = join(server.folder, 'backup.sqlite');
    expect(command(server, 'backup', file).status).toBe(0);
    expect(mode(file)).toBe('600');
    const copy = new BetterSqlite3(file, { readonly: true });
    expect(copy.prepare('SELECT status FROM executions WHERE id = ?').pluck().get(body.$id)).toBe(
      'completed',
    );
    copy.close();
    const again = command(server, 'backup', file);
    expect(again.status).toBe(1);
    expect(again.stderr).toContain(file);
  });

  test('without a data folder they say so', () => {
    const { status, stderr } = command(prepareServer(), 'keys', 'list');
    expect(status).toBe(1);
    expect(stderr).toMatch(/DATA_DIR/);
  });

  test('help and version need nothing', () => {
    expect(command(prepareServer(), 'help').stdout).toMatch(/keys create/);
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(command(prepareServer(), 'version').stdout.trim()).toBe(version);
  });
});

test('a checkout and a data folder that only their owner may enter', async () => {
  const server = prepareServer({ functions: HELLO });
  mkdirSync(server.dataDirectory);
  chmodSync(server.folder, 0o700);
  await server.start();
  const { body } = await server.request<{ sandbox: string }>('GET', '/v1/health');
  expect((await server.execute('hello', { body: 'you' })).body).toMatchObject({ responseBody: 'hello you' });
  expect(['bubblewrap', 'process']).toContain(body.sandbox);
});
