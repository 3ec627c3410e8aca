import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../support/wait-for.js';
import { type CompiledRunner, compileRunner } from './compiled.js';
import { startRunner, type TestThread } from './runner-process.js';

const PLAIN = ['content-type', 'text/plain; charset=utf-8'];

let compiled: CompiledRunner;
beforeAll(async () => {
  compiled = await compileRunner();
  return compiled.remove;
});

const start = (source: string, boot: Parameters<typeof startRunner>[2] = {}) =>
  startRunner(compiled.main, { 'main.mjs': source }, boot);

/** Types of what a thread has said since its start, with the ids that come with them. */
const said = (thread: TestThread) =>
  thread.replies.map((reply) => ('id' in reply ? `${reply.type} ${reply.id}` : reply.type));

describe('an execution', () => {
  test('brings its request to the function, and the response back', async () => {
    const runner = start(`export default ({ req, res }) =>
      res.json({ ...req, bodyBinary: [...req.bodyBinary] }, 201, { 'X-A': ['1', '2'] })`);
    const thread = await runner.start();
    const { duration, text, ...ended } = await thread.run({
      method: 'post',
      path: '/a?b=c',
      headers: { host: 'h:81', 'x-open-runtimes-a': 'hidden' },
      body: Buffer.from('"ä"'),
    });
    expect(ended).toEqual({
      status: 201,
      headers: [
        ['x-a', '1'],
        ['x-a', '2'],
        ['content-type', 'application/json; charset=utf-8'],
      ],
      logs: '',
      errors: '',
    });
    expect(JSON.parse(text)).toMatchObject({
      method: 'POST',
      url: 'http://h:81/a?b=c',
      headers: { host: 'h:81' },
      bodyText: '"ä"',
      bodyJson: 'ä',
      bodyBinary: [0x22, 0xc3, 0xa4, 0x22],
    });
    expect(duration).toBeGreaterThan(0);
    expect(said(thread)).toEqual(['hello', 'result 1']);
  });

  test('gives the function one object of four members', async () => {
    const runner = start(
      'export default (...all) => all[0].res.json([all.length, Object.keys(all[0]).sort(), Object.keys(all[0].res).sort()])',
    );
    expect(JSON.parse((await (await runner.start()).run()).text)).toEqual([
      1,
      ['error', 'log', 'req', 'res'],
      ['binary', 'empty', 'json', 'redirect', 'send', 'text'],
    ]);
  });

  test('answers with what was returned, not with what was made', async () => {
    const runner = start(`export default async ({ res }) => { res.text('a'); return res.text('b'); }`);
    expect(await (await runner.start()).run()).toMatchObject({ status: 200, text: 'b' });
  });

  test('keeps its logs and errors apart, as they were written', async () => {
    const runner = start(`export default async ({ res, log, error }) => {
      log('a', 1); error('b'); await null; log({ c: 2n }); return res.empty();
    }`);
    expect(await (await runner.start()).run()).toMatchObject({ logs: 'a 1\n{"c":"2"}\n', errors: 'b\n' });
  });

  test('with logging off leaves neither logs nor errors', async () => {
    const runner = start(`export default ({ log, error }) => {
      log('a'); error('b'); console.log('c'); process.stdout.write('d'); throw new Error('e');
    }`);
    const thread = await runner.start();
    expect(await thread.run({ logging: false })).toMatchObject({ status: 500, logs: '', errors: '' });
    expect(said(thread)).toEqual(['hello', 'result 1']);
  });

  test('with a body of 20 MiB in both directions comes through, with one byte more it fails', async () => {
    const runner = start(
      'export default ({ req, res }) => res.binary(req.query.more ? Buffer.concat([req.bodyBinary, Buffer.alloc(1)]) : req.bodyBinary)',
    );
    const thread = await runner.start();
    const body = Buffer.alloc(20_971_520, 'abcdefg');
    const same = await thread.run({ body });
    expect(Buffer.from(same.text).equals(body)).toBe(true);
    expect(await thread.run({ path: '/?more=1', body })).toMatchObject({
      status: 500,
      text: '',
      errors: expect.stringContaining('the limit is 20971520 bytes (20 MiB)'),
    });
  });
});

describe('what surrounds a function', () => {
  test('its variables are all of process.env, and its root is the working directory', async () => {
    const env = { A: 'b', APPWRITE_REGION: 'default', NODE_OPTIONS: '--no-such-option', PISCINA_X: '1' };
    const source = `export default ({ res }) => res.json({ env: process.env, cwd: process.cwd(), argv: process.argv })`;
    const runner = start(source, { env });
    const { text } = await (await runner.start()).run();
    const { cwd, argv, env: seen } = JSON.parse(text);
    expect(seen).toEqual(env);
    expect(realpathSync(argv[1])).toBe(`${cwd}/main.mjs`);
    expect(argv).toHaveLength(2);
  });

  test('child processes work', async () => {
    const runner = start(`import { execFile } from 'node:child_process';
      import { promisify } from 'node:util';
      export default async ({ res }) => res.text((await promisify(execFile)('/bin/sh', ['-c', 'echo $A; pwd'])).stdout)`);
    const { text } = await (await runner.start()).run();
    expect(text).toMatch(/^\n\/.+\n$/);
  });

  test('a module keeps its state in its thread, and shares it with no other', async () => {
    const runner = start('let count = 0; export default ({ res }) => res.text(++count)');
    const [a, b] = [await runner.start(), await runner.start()];
    const counts: string[] = [];
    for (const thread of [a, a, b, a, b]) counts.push((await thread.run()).text);
    expect(counts).toEqual(['1', '2', '1', '3', '2']);
  });
});

describe('executions that are handed over in advance', () => {
  // One that has a file to wait for ends when the test writes it.
  const waiting = `
    import { existsSync } from 'node:fs';
    export default async ({ req, res }) => {
      while (req.query.until && !existsSync(req.query.until)) await new Promise((r) => setTimeout(r, 5));
      return res.text(req.path);
    }`;

  test('run one at a time in their order, and say so if they are asked to', async () => {
    const runner = start(`let running = 0; export default async ({ res }) => {
      running += 1; await new Promise(setImmediate); const seen = running; running -= 1; return res.text(seen);
    }`);
    const thread = await runner.start();
    const ids = thread.assign({}, { announce: true }, { announce: true }, { announce: true });
    for (const id of ids) expect((await thread.result(id)).text).toBe('1');
    expect(said(thread)).toEqual([
      'hello',
      'result 1',
      'started 2',
      'result 2',
      'started 3',
      'result 3',
      'started 4',
      'result 4',
    ]);
  });

  test('a long row of them ends in full and in order', async () => {
    const runner = start('let count = 0; export default ({ res }) => res.text(++count)');
    const thread = await runner.start();
    const ids = thread.assign(...Array.from({ length: 200 }, (_, i) => ({ announce: i > 0 })));
    const texts = await Promise.all(ids.map(async (id) => (await thread.result(id)).text));
    expect(texts).toEqual(ids.map(String));
    expect(thread.ended).toEqual(ids);
  });

  test('are given back when they are recalled, but for the one that runs', async () => {
    const runner = start(waiting);
    const thread = await runner.start();
    const release = join(runner.codeDirectory, 'release');
    thread.assign({ path: `/?until=${release}` }, { announce: true }, { announce: true });
    thread.recall();
    await waitFor('the recall', () => said(thread).includes('recalled'));
    expect(thread.replies.at(-1)).toEqual({ type: 'recalled', ids: [2, 3] });
    writeFileSync(release, '');
    expect((await thread.result(1)).status).toBe(200);
    // What comes later is run as ever, and what was given back never is.
    expect((await thread.run()).status).toBe(200);
    expect(thread.ended).toEqual([1, 4]);
    thread.recall();
    await waitFor('the second recall', () => thread.replies.at(-1)?.type === 'recalled');
    expect(thread.replies.at(-1)).toEqual({ type: 'recalled', ids: [] });
    expect(said(thread)).not.toContain('started 2');
  });
});

describe('a function that fails', () => {
  const stack = /^TypeError: boom\n( {4}at .*\(?main\.mjs:\d+:\d+\)?\n)+$/;
  const faults: [path: string, source: string, errors: RegExp | string][] = [
    ['throws', '() => { throw new TypeError("boom") }', stack],
    ['rejects', 'async () => { await null; throw new TypeError("boom") }', stack],
    ['throws-text', '() => { throw "text" }', 'text'],
    ['throws-null', '() => { throw null }', 'null'],
    ['rejects-with-nothing', '() => Promise.reject()', 'undefined'],
    ['throws-an-object', '() => { throw { a: [1n] } }', '{"a":["1"]}'],
    [
      'throws-much',
      '() => { throw "x".repeat(9_000) }',
      `${'x'.repeat(8_000)}... Log truncated due to size limit (8000 characters)`,
    ],
    [
      'throws-from-req',
      '({ req }) => req.bodyJson',
      /^SyntaxError: Unexpected end of JSON input\n {4}at JSON\.parse \(<anonymous>\)\n( {4}at .*\(main\.mjs:\d+:\d+\)\n){2}$/,
    ],
    [
      'returns-nothing',
      '() => {}',
      'Return statement missing. return context.res.empty() if no response is expected.',
    ],
    [
      'returns-null',
      'async () => null',
      'Return statement missing. return context.res.empty() if no response is expected.',
    ],
    ['returns-text', '() => "text"', /^The function returned a string, which is no response\. /],
    ['has-a-wrong-status', '({ res }) => res.text("", 99)', /integer from 100 to 599, not 99\.\n$/],
    ['has-a-wrong-header', '({ res }) => res.text("", 200, { a: "\\n" })', /header "a" .* HTTP forbids/],
    ['has-a-wrong-body', '({ res }) => res.text(Symbol())', /must be text, bytes or JSON, not a symbol/],
  ];

  test('has status 500, no body and the reason in its errors, and the thread goes on', async () => {
    const members = faults.map(([path, source]) => `'/${path}': ${source},`);
    const thread = await start(`const faults = {\n${members.join('\n')}\n};
      export default (context) => faults[context.req.path](context);`).start();
    for (const [path, , errors] of faults) {
      const ended = await thread.run({ path: `/${path}` });
      expect(ended, path).toMatchObject({ status: 500, text: '', headers: [PLAIN], logs: '' });
      if (errors instanceof RegExp) expect(ended.errors, path).toMatch(errors);
      else expect(ended.errors, path).toBe(`${errors}\n`);
    }
  });
});
