import { mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { ATTEMPT_QUERY, createCleaner } from '../../../src/runner/stack.js';

const OWN = fileURLToPath(new URL('../../../src/runner/', import.meta.url));
const ENGINE = fileURLToPath(new URL('../../../src/engine/', import.meta.url));

const clean = createCleaner('/code dir');

describe('file names', () => {
  test.each([
    ['    at f (file:///code%20dir/src/a.js:1:2)', '    at f (src/a.js:1:2)'],
    ['    at f (/code dir/src/a.js:1:2)', '    at f (src/a.js:1:2)'],
    ['    at file:///code%20dir/a.js:1:2', '    at a.js:1:2'],
    [
      "Cannot find module '/code dir/b.js' imported from /code dir/a.js",
      "Cannot find module 'b.js' imported from a.js",
    ],
    ['/code dir/a.js:3\nboom', 'a.js:3\nboom'],
    [`    at f (file:///code%20dir/a.js${ATTEMPT_QUERY}12:1:2)`, '    at f (a.js:1:2)'],
  ])('%j becomes %j', (text, expected) => {
    expect(clean(text)).toBe(expected);
  });

  test.each([
    '/other/code dir/a.js',
    'http://host/code dir/a.js',
    '/code dirs/a.js',
    '/code dir',
    'code dir/a.js',
  ])('%s stays, as it is not within the deployment’s root', (text) => {
    expect(clean(text)).toBe(text);
  });

  test('characters of the root’s name mean themselves', () => {
    const special = createCleaner('/a.b+(c)');
    expect(special('/a.b+(c)/x.js')).toBe('x.js');
    expect(special('/aXb+(c)/x.js')).toBe('/aXb+(c)/x.js');
  });
});

describe('a root that is a link', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'stack-test-')));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is known by its own name and by the real one, as Node uses either', () => {
    const link = join(folder, 'link');
    symlinkSync(folder, link);
    const linked = createCleaner(link);
    expect(linked(`${link}/a.js`)).toBe('a.js');
    expect(linked(`    at file://${folder}/a.js:1:1`)).toBe('    at a.js:1:1');
  });
});

describe('frames', () => {
  const stack = (...frames: string[]) => ['Error: m', ...frames.map((frame) => `    at ${frame}`)].join('\n');

  test.each([
    ['of the runner', `FunctionThread.run (file://${OWN}thread.js:1:2)`],
    ['of the engine', `FrameReader.push (file://${ENGINE}channel.js:1:2)`],
    ['of Piscina', 'onMessage (/x/node_modules/piscina/dist/worker.js:1:2)'],
  ])('%s are taken out, with those of Node below them', (_name, frame) => {
    expect(
      clean(stack('f (/code dir/a.js:1:2)', frame, 'Socket.emit (node:events:1:2)', 'a (node:net:1:2)')),
    ).toBe(stack('f (a.js:1:2)'));
  });

  test('of req and res are taken out, those of the function that called them stay', () => {
    expect(
      clean(
        stack(
          'JSON.parse (<anonymous>)',
          `get bodyJson (file://${OWN}request.js:1:2)`,
          `get body (file://${OWN}request.js:1:2)`,
          'g (/code dir/b.js:1:2)',
          'EventEmitter.emit (node:events:1:2)',
          'f (/code dir/a.js:1:2)',
          `FunctionThread.run (file://${OWN}thread.js:1:2)`,
          'Socket.emit (node:events:1:2)',
        ),
      ),
    ).toBe(
      stack(
        'JSON.parse (<anonymous>)',
        'g (b.js:1:2)',
        'EventEmitter.emit (node:events:1:2)',
        'f (a.js:1:2)',
      ),
    );
  });

  test('of Node’s inside are taken out, those below them stay', () => {
    expect(
      clean(
        stack(
          'new Promise (<anonymous>)',
          'node:internal/process/task_queues:95:5',
          'async open (node:internal/fs/promises:639:25)',
          'readFileSync (node:fs:448:20)',
          'f (/code dir/a.js:1:2)',
        ),
      ),
    ).toBe(stack('new Promise (<anonymous>)', 'readFileSync (node:fs:448:20)', 'f (a.js:1:2)'));
  });

  test('of the function’s packages stay', () => {
    const frame = 'parse (node_modules/piscina-like/dist/worker.mjs:1:2)';
    expect(clean(stack(`parse (/code dir/node_modules/piscina-like/dist/worker.mjs:1:2)`))).toBe(
      stack(frame),
    );
  });

  test('of a cause are kept up to the runner’s own', () => {
    const cause = stack('g (/code dir/b.js:3:4)', `run (file://${OWN}invoke.js:5:6)`);
    const text = stack('f (/code dir/a.js:1:2)', `run (file://${OWN}invoke.js:5:6)`);
    expect(clean(`${text}\n  [cause]: ${cause}`)).toBe(
      `${stack('f (a.js:1:2)')}\n  [cause]: ${stack('g (b.js:3:4)')}`,
    );
  });

  test('a text without frames keeps its lines', () => {
    const text = `one\n${OWN}thread.js\nnode:internal/x`;
    expect(clean(text)).toBe(text);
  });
});
