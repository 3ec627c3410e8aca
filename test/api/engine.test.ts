import { beforeAll, describe, expect, test } from 'vitest';
import { descendants } from '../support/processes.js';
import type { ExecutionModel } from '../support/request.js';
import { startServer, type TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

/** What ends an execution, and what that does to its neighbours. */
let server: TestServer;

const MIB = 1024 * 1024;

beforeAll(async () => {
  server = await startServer({
    functions: {
      // One function for all faults: its neighbours run in the same process.
      faults: `
        import { createRequire } from 'node:module';
        const require = createRequire(import.meta.url);
        let count = 0;
        const faults = {
          ok: ({ res }) => res.text('ok'),
          count: ({ res }) => res.text(String(++count)),
          exit: ({ log }) => { log('before'); process.exit(7); },
          stuck: () => { require('node:child_process').execSync('sleep 60'); },
          loop: ({ log }) => { log('before'); for (;;); },
          never: ({ log }) => { log('before'); return new Promise(() => {}); },
          rejection: async () => { Promise.reject(new Error('nobody waits')); await new Promise((r) => setTimeout(r, 5000)); },
          exception: async () => { setImmediate(() => { throw new Error('thrown late'); }); await new Promise((r) => setTimeout(r, 5000)); },
          memory: () => { const kept = []; for (;;) kept.push(new Array(100_000).fill(Math.random())); },
          body: ({ req, res }) => res.binary(req.bodyBinary),
          large: ({ res, req }) => res.binary(Buffer.alloc(Number(req.query.bytes), 1)),
          die: () => { process.kill(process.pid, 'SIGKILL'); return new Promise(() => {}); },
          sleep: async ({ req, res }) => { await new Promise((r) => setTimeout(r, Number(req.query.ms))); return res.text('slept'); },
        };
        export default (context) => faults[context.req.path.slice(1)](context);`,
      output: `export default ({ log, res }) => {
        const line = 'x'.repeat(7_990);
        for (let i = 0; i < 26_300; i++) log(i, line);
        return res.text('done');
      }`,
    },
    functionSettings: { faults: { timeout: 2 }, output: { timeout: 25 } },
  });
});

const run = async (path: string, parameters: object = {}): Promise<ExecutionModel> => {
  const { status, body } = await server.execute('faults', { path, ...parameters });
  expect(status).toBe(201);
  return body;
};

const ended = (id: string) =>
  waitFor('the execution ends', async () => {
    const execution = await server.getExecution('faults', id);
    return execution.status === 'completed' || execution.status === 'failed' ? execution : null;
  });

test('a body that is short in characters and too long in bytes is refused, and harms nobody', async () => {
  const body = '\u2603'.repeat(7_000_000);
  await run('/ok');
  for (const async of [false, true]) {
    const answer = await server.execute('faults', { path: '/ok', body, async });
    expect(answer.status).toBe(413);
    expect(answer.body).toMatchObject({ type: 'general_argument_invalid', code: 413 });
  }
  expect(await run('/ok')).toMatchObject({ status: 'completed', responseBody: 'ok' });
});

test('a thread in a call that nothing can interrupt is given up in time, and its neighbours end in peace', async () => {
  const stuck = run('/stuck');
  const neighbour = run('/sleep?ms=1500');
  expect(await neighbour).toMatchObject({ status: 'completed', responseBody: 'slept' });
  const late = run('/sleep?ms=1900');
  expect(await stuck).toMatchObject({ status: 'failed', errors: 'Execution timed out.' });
  expect(await late).toMatchObject({ status: 'completed', responseBody: 'slept' });
  expect(await run('/ok')).toMatchObject({ status: 'completed' });
});

describe('an execution that goes wrong has a true record and leaves the next one unharmed', () => {
  test.each([
    ['process.exit()', '/exit', /process\.exit/],
    ['an endless loop', '/loop', /^Execution timed out\.$/],
    ['a promise that never settles', '/never', /^Execution timed out\.$/],
    ['an unhandled rejection', '/rejection', /nobody waits/],
    ['an exception outside the call', '/exception', /thrown late/],
    ['memory that runs out', '/memory', /memory/i],
    ['a runner that dies', '/die', /runner process ended/],
  ])('%s', async (_name, path, errors) => {
    const execution = await run(path);
    expect(execution).toMatchObject({ status: 'failed', responseStatusCode: 500, responseBody: '' });
    expect(execution.errors).toMatch(errors);
    expect(await server.getExecution('faults', execution.$id)).toMatchObject({
      status: 'failed',
      errors: execution.errors,
    });
    expect(await run('/ok')).toMatchObject({ status: 'completed', responseBody: 'ok' });
  });

  test('what was logged before the end is kept', async () => {
    for (const path of ['/loop', '/exit', '/never']) expect((await run(path)).logs).toBe('before\n');
  });

  test('those beside and behind it are not harmed', async () => {
    // Make it known as quick, so that executions are handed to a thread ahead of time.
    for (let i = 0; i < 40; i++) await run('/ok');
    const all = await Promise.all(Array.from({ length: 60 }, (_, i) => run(i % 20 === 7 ? '/exit' : '/ok')));
    expect(
      all
        .filter(({ requestPath, status }) => requestPath === '/ok' && status !== 'completed')
        .map(({ errors }) => errors),
    ).toEqual([]);
    expect(all.map(({ status }) => status)).toEqual(
      Array.from({ length: 60 }, (_, i) => (i % 20 === 7 ? 'failed' : 'completed')),
    );
  });
});

describe('large things', () => {
  test('200 MB of output: the end of it is kept, within the limit', async () => {
    const { body: execution } = await server.execute('output');
    expect(execution).toMatchObject({ status: 'completed', responseBody: 'done' });
    expect(execution.logs).toHaveLength(1_000_000);
    expect(
      execution.logs.startsWith('[WARNING] Logs truncated. The output exceeded 1000000 characters.\n'),
    ).toBe(true);
    expect(execution.logs.trimEnd().split('\n').at(-1)).toMatch(/^26299 x/);
  });

  test('a body of 20 MiB goes in and comes out unchanged', async () => {
    const bytes = Buffer.alloc(20 * MIB, 'abcdefg');
    const answer = await fetch(`${server.url}/f/faults/body`, { method: 'POST', body: bytes });
    expect(answer.status).toBe(200);
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
  });

  test('one byte more is refused on the way in, and fails on the way out', async () => {
    const answer = await fetch(`${server.url}/f/faults/body`, {
      method: 'POST',
      body: Buffer.alloc(20 * MIB + 1),
    });
    expect(answer.status).toBe(413);
    const execution = await run(`/large?bytes=${20 * MIB + 1}`);
    expect(execution).toMatchObject({ status: 'failed', responseStatusCode: 500 });
    expect(execution.errors).toMatch(/20,?971,?520|20 MiB/);
  });
});

describe('the pool of threads', () => {
  test('what the module keeps is there again in the next execution', async () => {
    const first = Number((await run('/count')).responseBody);
    expect(Number((await run('/count')).responseBody)).toBe(first + 1);
  });

  test('slow executions of one function run side by side', async () => {
    const started = performance.now();
    const all = await Promise.all(Array.from({ length: 6 }, () => run('/sleep?ms=1000')));
    expect(all.every(({ responseBody }) => responseBody === 'slept')).toBe(true);
    // One after the other would take six seconds, and the last ones would be queued for longer than that.
    expect(performance.now() - started).toBeLessThan(5_900);
  });

  test('a burst of slow and quick ones, sync and async, ends in full', async () => {
    const accepted = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const path = i % 50 === 0 ? '/sleep?ms=300' : '/ok';
        const { status, body } = await server.execute('faults', { path, async: i % 2 === 0 });
        expect(status).toBe(i % 2 === 0 ? 202 : 201);
        return body.$id;
      }),
    );
    const all = await Promise.all(accepted.map(ended));
    expect(all.every(({ status }) => status === 'completed')).toBe(true);
  });

  test('a backlog larger than memory’s share is worked off from the database, in full and once', async () => {
    const before = (await server.listExecutions('faults', [{ method: 'limit', values: [1] }])).total;
    const accepted = await Promise.all(
      Array.from(
        { length: 1_500 },
        async () => (await server.execute('faults', { path: '/count', async: true })).status,
      ),
    );
    expect(accepted.every((status) => status === 202)).toBe(true);
    const unfinished = [{ method: 'equal', attribute: 'status', values: ['waiting', 'processing'] }];
    await waitFor(
      'the backlog is worked off',
      async () => {
        return (await server.listExecutions('faults', unfinished)).total === 0;
      },
      60_000,
    );
    expect((await server.listExecutions('faults')).total).toBe(Math.min(5_000, before + 1_500));
  });
});

describe('limits', () => {
  test('a full queue: 503 with Retry-After and no record', async () => {
    const small = await startServer({
      functions: {
        slow: `export default async ({ res }) => { await new Promise((r) => setTimeout(r, 500)); return res.empty(); }`,
      },
      env: { QUEUE_LIMIT: '2', THREADS_PER_RUNNER: '1' },
    });
    const answers = await Promise.all(Array.from({ length: 8 }, () => small.execute('slow')));
    const full = answers.filter(({ status }) => status === 503);
    expect(full.length).toBeGreaterThan(0);
    expect(full[0]!.body).toMatchObject({ type: 'general_queue_full', code: 503 });
    expect(full[0]!.headers.get('retry-after')).toMatch(/^\d+$/);
    expect((await small.listExecutions('slow')).total).toBe(8 - full.length);
    await small.close();
  });

  test('more functions than runners take turns', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const few = await startServer({
      functions: Object.fromEntries(
        names.map((name) => [name, `export default ({ res }) => res.text('${name}')`]),
      ),
      env: { MAX_RUNNERS: '2' },
    });
    const answers = await Promise.all(
      [...names, ...names, ...names].map(async (name) => [name, (await few.execute(name)).body.responseBody]),
    );
    for (const [name, body] of answers) expect(body).toBe(name);
    await few.close();
  });

  test('an idle runner is ended and the next execution gets a new one', async () => {
    const idle = await startServer({
      functions: { f: `export default ({ res }) => res.empty()` },
      env: { RUNNER_IDLE_SECONDS: '1' },
    });
    await idle.execute('f');
    expect(descendants(idle.pid).length).toBeGreaterThan(0);
    await waitFor('the runner is ended', () => descendants(idle.pid).length === 0);
    expect((await idle.execute('f')).body.status).toBe('completed');
    await idle.close();
  });
});
