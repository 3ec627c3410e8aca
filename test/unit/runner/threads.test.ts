import { once } from 'node:events';
import { beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../support/wait-for.js';
import { type CompiledRunner, compileRunner } from './compiled.js';
import { startRunner } from './runner-process.js';

let compiled: CompiledRunner;
beforeAll(async () => {
  compiled = await compileRunner();
  return compiled.remove;
});

const KILLED = 'The thread was ended by the server.';

const start = (source: string, boot: Parameters<typeof startRunner>[2] = {}) =>
  startRunner(compiled.main, { 'main.mjs': source }, boot);

describe('a thread', () => {
  test('takes executions before the function is loaded', async () => {
    const runner = start('for (;;);');
    const thread = await runner.start();
    expect(runner.ready).toBe(true);
    expect(thread.replies).toEqual([{ type: 'hello' }]);
  });

  test.each([
    ['an endless loop', `export default ({ log }) => { log('before'); for (;;); }`],
    [
      'a promise that never settles',
      `export default async ({ log }) => { log('before'); await new Promise(() => {}); }`,
    ],
    ['a module that never ends loading', `console.log('before'); await new Promise(() => {});`],
    ['a module that loads in an endless loop', `process.stdout.write('before\\n'); for (;;);`],
    ['a flood of logs', `export default ({ log }) => { for (;;) log('before', 'x'.repeat(1000)); }`],
  ])('that runs %s is ended when it is killed, and its logs are kept', async (_name, source) => {
    const runner = start(source);
    const thread = await runner.start();
    const [id] = thread.assign({});
    await waitFor('its logs', () => thread.logs(id!).includes('before'));
    runner.kill(thread);
    expect(await runner.reason(thread)).toBe(KILLED);
    expect(thread.logs(id!)).toContain('before');
    expect(thread.ended).toEqual([]);
  });

  test('that is killed leaves its neighbour unharmed, and another takes its place', async () => {
    const runner = start(
      `export default ({ req, res }) => { while (req.path === '/loop'); return res.text('fine'); }`,
    );
    const [a, b] = [await runner.start(), await runner.start()];
    a.assign({ path: '/loop' });
    runner.kill(a);
    runner.kill(a);
    expect(await runner.reason(a)).toBe(KILLED);
    expect((await b.run()).text).toBe('fine');
    const c = await runner.start();
    expect((await c.run()).text).toBe('fine');
    expect(runner.reasons(a)).toEqual([KILLED]);
    expect(runner.reasons(b).concat(runner.reasons(c))).toEqual([]);
  });

  test('beyond the limit waits for its turn, and can be killed before it', async () => {
    const runner = start('export default ({ res }) => res.text("fine")', { maxThreads: 1 });
    const first = await runner.start();
    const second = runner.startUnwaited();
    const third = runner.startUnwaited();
    runner.kill(second);
    expect(await runner.reason(second)).toBe(KILLED);
    expect(third.replies).toEqual([]);
    runner.kill(first);
    expect((await third.run()).text).toBe('fine');
  });

  test('ends with its channel', async () => {
    const runner = start('export default ({ res }) => res.empty()');
    const thread = await runner.start();
    thread.socket.end();
    expect(await runner.reason(thread)).toBe('The channel was closed.');
  });

  test('that runs out of memory says so and leaves its neighbour unharmed', async () => {
    const runner = start(
      `export default ({ req, res, log }) => {
        const kept = [];
        if (req.path === '/memory') for (log('before');;) kept.push(new Array(100_000).fill(Math.random()));
        return res.text('fine');
      }`,
      { maxHeapMegabytes: 32 },
    );
    const [a, b] = [await runner.start(), await runner.start()];
    const [id] = a.assign({ path: '/memory' });
    expect(await runner.reason(a)).toBe('The function ran out of memory: the limit is 32 MiB.');
    expect(a.logs(id!)).toBe('before\n');
    expect((await b.run()).text).toBe('fine');
  });

  test('does not believe a function that says its neighbour has ended with nonsense', async () => {
    const runner = start(`import { parentPort } from 'node:worker_threads';
      export default ({ res }) => {
        for (const message of [null, 'text', 1, {}, { thread: 'x', endReason: 'a' }, { thread: 0, endReason: 1 }, { thread: 99, endReason: 'a' }])
          parentPort.postMessage(message);
        return res.text('sent');
      }`);
    const thread = await runner.start();
    for (let i = 0; i < 2; i++) expect((await thread.run()).text).toBe('sent');
    const other = await runner.start();
    expect(runner.reasons(thread).concat(runner.reasons(other))).toEqual([]);
  });

  test('a reader that does not keep up slows a flood of logs down and loses nothing', async () => {
    const runner = start(`export default ({ res, log }) => {
      for (let i = 0; i < 2_000; i++) log(i, 'x'.repeat(1_000));
      return res.empty();
    }`);
    const thread = await runner.start();
    thread.socket.pause();
    const [id] = thread.assign({});
    // The other thread says when the flood has had its time: the channel holds less than that.
    const other = await runner.start();
    await other.run();
    expect(thread.ended).toEqual([]);
    thread.socket.resume();
    const { logs } = await thread.result(id!);
    expect(
      logs
        .split('\n')
        .map((line) => Number.parseInt(line, 10))
        .slice(0, -1),
    ).toEqual(Array.from({ length: 2_000 }, (_, i) => i));
  });
});

describe('the process', () => {
  test('ends with the control socket, whatever its threads do', async () => {
    const runner = start('export default () => { for (;;); }');
    const thread = await runner.start();
    thread.assign({});
    const exit = once(runner.child, 'exit');
    runner.control.destroy();
    expect(await exit).toEqual([null, 'SIGKILL']);
  });

  test('without its deployment’s root says what is missing', async () => {
    const runner = start('', { codeDirectory: '/nowhere/at/all' });
    expect(await (await runner.start()).run()).toMatchObject({
      status: 503,
      errors: 'Failed to load entrypoint, file main.mjs does not exist.\n',
    });
  });

  test('is not ended by Ctrl-C, which is for the server to handle', async () => {
    const runner = start('export default ({ res }) => res.text("fine")');
    const thread = await runner.start();
    runner.child.kill('SIGINT');
    expect((await thread.run()).text).toBe('fine');
    expect(runner.exited).toBe(false);
  });
});
