import { describe, expect, test } from 'vitest';
import { startServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

const FUNCTIONS = {
  sleep: `export default async ({ req, res }) => { await new Promise((r) => setTimeout(r, Number(req.query.ms))); return res.text('slept'); }`,
  loop: `export default () => { for (;;); }`,
};

const processing = (query: string) => [{ method: 'equal', attribute: 'status', values: [query] }];

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('lets a running execution end, answers it, and exits with 0', async () => {
    const server = await startServer({ functions: FUNCTIONS });
    await server.execute('sleep', { path: '/?ms=0' });
    const answer = server.execute('sleep', { path: '/?ms=700' });
    await waitFor(
      'it runs',
      async () => (await server.listExecutions('sleep', processing('processing'))).total === 1,
    );
    const { code } = await server.stop(signal);
    expect(code).toBe(0);
    expect((await answer).body).toMatchObject({ status: 'completed', responseBody: 'slept' });
  });
});

test('what does not end within the budget is cut off and recorded; what waits stays and runs at the next start', async () => {
  const server = await startServer({
    functions: FUNCTIONS,
    env: { STOP_SECONDS: '1', THREADS_PER_RUNNER: '1' },
  });
  const { body: running } = await server.execute('sleep', { path: '/?ms=60000', async: true });
  await waitFor(
    'it runs',
    async () => (await server.getExecution('sleep', running.$id)).status === 'processing',
  );
  const { body: waiting } = await server.execute('sleep', { path: '/?ms=0', async: true });
  expect((await server.stop()).code).toBe(0);
  await server.start();
  expect(await server.getExecution('sleep', running.$id)).toMatchObject({
    status: 'failed',
    responseStatusCode: 500,
    errors: 'The server stopped while this execution ran.',
  });
  await waitFor(
    'the other runs',
    async () => (await server.getExecution('sleep', waiting.$id)).status === 'completed',
  );
});

test('a second signal exits at once', async () => {
  const server = await startServer({ functions: FUNCTIONS, env: { STOP_SECONDS: '60' } });
  const answer = server.execute('sleep', { path: '/?ms=25000' }).catch(() => null);
  await waitFor(
    'it runs',
    async () => (await server.listExecutions('sleep', processing('processing'))).total === 1,
  );
  server.signal('SIGTERM');
  await server.waitForLog('it is stopping', ({ msg }) => typeof msg === 'string' && msg.includes('stopping'));
  const { code } = await server.stop('SIGTERM');
  expect(code).toBe(1);
  await answer;
});

test('no process outlives the server, however it ends', async () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const server = await startServer({ functions: FUNCTIONS, env: { STOP_SECONDS: '1' } });
    await server.execute('loop', { async: true });
    await waitFor(
      'it runs',
      async () => (await server.listExecutions('loop', processing('processing'))).total === 1,
    );
    expect(server.descendants().length).toBeGreaterThan(0);
    // `stop` throws if one of them is left.
    await server.stop(signal);
  }
});
