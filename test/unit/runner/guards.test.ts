import { beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../support/wait-for.js';
import { type CompiledRunner, compileRunner } from './compiled.js';
import { startRunner } from './runner-process.js';

const NOTICE = 'Native logs detected. Use context.log() or context.error() for better experience.\n';

let compiled: CompiledRunner;
beforeAll(async () => {
  compiled = await compileRunner();
  return compiled.remove;
});

const start = (source: string) => startRunner(compiled.main, { 'main.mjs': source });

/** Runs one execution that ends its thread, and returns what the server learns of it. */
async function end(source: string) {
  const runner = start(source);
  const thread = await runner.start();
  const [id] = thread.assign({});
  const reason = await runner.reason(thread);
  return { reason, logs: thread.logs(id!), errors: thread.errors(id!), ended: thread.ended, runner };
}

describe('process.exit and process.abort', () => {
  test.each([
    ['process.exit()', 'process.exit()', 'The function called process.exit(0).'],
    ['with a code', 'process.exit(7)', 'The function called process.exit(7).'],
    ['with process.exitCode', 'process.exitCode = 3; process.exit()', 'The function called process.exit(3).'],
    ['process.abort()', 'process.abort()', 'The function called process.abort().'],
  ])('%s ends the thread, which says so', async (_name, call, reason) => {
    const ended = await end(
      `export default async ({ log }) => { log('before'); await null; ${call}; log('after'); }`,
    );
    expect(ended).toMatchObject({ reason, logs: 'before\n', ended: [] });
  });

  test('what an execution left behind can not end the next one', async () => {
    const runner = start(`let count = 0;
      export default async ({ req, res }) => {
        count += 1;
        if (count === 1) setTimeout(() => process.exit(7), 20);
        else await new Promise((resolve) => setTimeout(resolve, 200));
        return res.text(String(count));
      }`);
    const thread = await runner.start();
    expect((await thread.run()).text).toBe('1');
    expect((await thread.run()).text).toBe('2');
  });

  test('while the module is loaded, too', async () => {
    expect(await end('process.exit(1)')).toMatchObject({ reason: 'The function called process.exit(1).' });
  });

  test('leave the other threads of the process unharmed', async () => {
    const runner = start(
      `export default ({ req, res }) => req.path === '/exit' ? process.exit() : res.text('fine')`,
    );
    const [a, b] = [await runner.start(), await runner.start()];
    a.assign({ path: '/exit' });
    await runner.reason(a);
    expect((await b.run()).text).toBe('fine');
    const c = await runner.start();
    expect((await c.run()).text).toBe('fine');
    expect(runner.reasons(a)).toEqual(['The function called process.exit(0).']);
  });
});

describe('what is not caught', () => {
  const never = 'await new Promise(() => {})';
  test.each([
    [
      'a rejection',
      `Promise.reject(new Error('boom')); ${never};`,
      /^Error: boom\n {4}at .*main\.mjs:1:\d+\)\n$/,
      'The thread was ended because the rejection of a promise was not handled.',
    ],
    [
      'a rejection without an Error',
      `Promise.reject({ a: 1n }); ${never};`,
      /^\{"a":"1"\}\n$/,
      'The thread was ended because the rejection of a promise was not handled.',
    ],
    [
      'an exception',
      `setTimeout(() => { throw new TypeError('boom') }); ${never};`,
      /^TypeError: boom\n {4}at .*main\.mjs:1:\d+\)\n/,
      'The thread was ended because an exception was not caught.',
    ],
    [
      'an error event that nobody listens to',
      `setImmediate(() => new (require('node:events'))().emit('error', new Error('boom'))); ${never};`,
      /^Error: boom\n {4}at .*main\.mjs/,
      'The thread was ended because an exception was not caught.',
    ],
  ])('%s fails the execution that it came from, and ends the thread', async (_name, code, errors, reason) => {
    const ended = await end(
      `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url); export default async ({ log }) => { log('before'); ${code} }`,
    );
    expect(ended).toMatchObject({ reason, logs: 'before\n', ended: [] });
    expect(ended.errors).toMatch(errors);
    expect(ended.errors).not.toContain(compiled.main.replace('/main.js', ''));
  });

  test('is cut where it is too long', async () => {
    const { errors } = await end(`export default async () => { Promise.reject('x'.repeat(9000)); ${never} }`);
    expect(errors).toBe(`${'x'.repeat(8_000)}... Log truncated due to size limit (8000 characters)\n`);
  });

  test('after its execution has ended harms none, and is reported as output', async () => {
    const runner = start(`export default async ({ req, res }) => {
      if (req.path === '/leave') setImmediate(() => Promise.reject(new Error('left behind')));
      else await new Promise((r) => setTimeout(r, 50));
      return res.text(req.path);
    }`);
    const thread = await runner.start();
    const [, next] = thread.assign({ path: '/leave' }, { path: '/next' });
    expect(await thread.result(next!)).toMatchObject({ text: '/next', errors: '' });
    await waitFor('the report', () => thread.output.includes('left behind'));
    expect(thread.output).toMatch(
      /^Outside an execution, the rejection of a promise was not handled: Error: left/,
    );
    expect((await thread.run()).status).toBe(200);
  });

  test.each([
    ['uncaughtException', `setImmediate(() => { throw new Error('boom') })`],
    ['unhandledRejection', `Promise.reject(new Error('boom'))`],
  ])('is for the function’s own handler of %s to decide on, if it has one', async (event, code) => {
    const runner = start(`export default ({ res }) => new Promise((resolve) => {
      process.once('${event}', (error) => resolve(res.text('handled ' + error.message)));
      ${code};
    })`);
    expect(await (await runner.start()).run()).toMatchObject({ text: 'handled boom', errors: '' });
  });
});

describe('native output', () => {
  test.each(['log', 'info', 'debug', 'warn', 'error'])('of console.%s goes to the logs', async (name) => {
    const runner = start(
      `export default ({ res, log }) => { log('a'); console.${name}('b %d', 1); log('c'); return res.empty(); }`,
    );
    expect(await (await runner.start()).run()).toMatchObject({ logs: `a\n${NOTICE}b 1\nc\n`, errors: '' });
  });

  test.each(['stdout', 'stderr'])('of process.%s goes to the logs, in whatever form', async (name) => {
    const runner = start(`export default async ({ res }) => {
      const { ${name}: stream } = process;
      stream.write('a');
      stream.write(Buffer.from('ä'));
      stream.write('62', 'hex');
      stream.write(new Uint8Array([99, 10]));
      await new Promise((resolve) => stream.write('d', resolve));
      await new Promise((resolve) => stream.write('e', 'utf8', resolve));
      return res.text(stream.write('') === true);
    }`);
    expect(await (await runner.start()).run()).toMatchObject({ logs: `${NOTICE}aäbc\nde\n`, errors: '' });
  });

  test('gets the notice once in each execution', async () => {
    const thread = await start(
      `export default ({ res }) => { console.log('a'); console.log('b'); return res.empty(); }`,
    ).start();
    for (let i = 0; i < 2; i++) expect((await thread.run()).logs).toBe(`${NOTICE}a\nb\n`);
  });

  test('of a module that is loaded belongs to the execution that loads it', async () => {
    const thread = await start(
      `console.log('loading'); await null; console.log('still'); export default ({ res }) => res.empty()`,
    ).start();
    expect((await thread.run()).logs).toBe(`${NOTICE}loading\nstill\n`);
    expect((await thread.run()).logs).toBe('');
  });

  test('after an await belongs to the execution that made it, beside one on another thread', async () => {
    const runner = start(`export default async ({ req, res }) => {
      for (let i = 0; i < 20; i++) { await new Promise(setImmediate); console.log(req.path, i); }
      return res.empty();
    }`);
    const [a, b] = [await runner.start(), await runner.start()];
    const lines = (path: string) => NOTICE + Array.from({ length: 20 }, (_, i) => `${path} ${i}\n`).join('');
    const [first, second] = await Promise.all([a.run({ path: '/a' }), b.run({ path: '/b' })]);
    expect([first.logs, second.logs]).toEqual([lines('/a'), lines('/b')]);
  });

  test('after its execution has ended belongs to none, not to the one that runs then', async () => {
    const runner = start(`export default async ({ req, res, log, error }) => {
      if (req.path === '/leave') setImmediate(() => { console.log('left'); log('behind'); error('too'); });
      else await new Promise((r) => setTimeout(r, 50));
      return res.empty();
    }`);
    const thread = await runner.start();
    const [first, next] = thread.assign({ path: '/leave' }, {});
    expect(await thread.result(next!)).toMatchObject({ logs: '', errors: '' });
    expect(thread.logs(first!) + thread.errors(first!)).toBe('');
    expect(thread.output).toBe('left\nbehind\ntoo\n');
  });
});
