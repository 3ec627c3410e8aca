import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CodeLocation } from '../../../src/runner/load.js';
import { type CompiledRunner, compileRunner, writeDeployment } from './compiled.js';
import { startRunner } from './runner-process.js';

let runner: CompiledRunner;
beforeAll(async () => {
  runner = await compileRunner();
  return runner.remove;
});

/** Loads the first of the files. */
function load(files: Record<string, string>, location: Partial<CodeLocation> = {}) {
  const entrypoint = Object.keys(files)[0]!;
  return runner.load({
    codeDirectory: writeDeployment(files),
    entrypoint,
    startFile: entrypoint,
    ...location,
  });
}

/** The message of the fault on loading it. */
const faultOf = (...arguments_: Parameters<typeof load>): Promise<string> =>
  load(...arguments_).then(
    () => 'none',
    (error: Error) => error.message,
  );

const SIGNATURE = "Function signature invalid. Did you forget to export a 'main' function?";
const MODULE = '{"type":"module"}';

describe('a function is found', () => {
  test.each<[name: string, files: Record<string, string>]>([
    ['export default in .mjs', { 'a.mjs': 'export default () => "found"' }],
    ['export default in .js of a module', { 'a.js': 'export default () => "found"', 'package.json': MODULE }],
    ['export default in .js without a package.json', { 'a.js': 'export default () => "found"' }],
    ['an async function', { 'a.mjs': 'export default async function () { return "found" }' }],
    ['export { f as default }', { 'a.mjs': 'const f = () => "found"; export { f as default }' }],
    ['module.exports in .cjs', { 'a.cjs': 'module.exports = () => "found"' }],
    ['module.exports in .js', { 'a.js': 'module.exports = () => "found"' }],
    [
      'module.exports in .cjs of a module',
      { 'a.cjs': 'module.exports = () => "found"', 'package.json': MODULE },
    ],
    ['exports.default in .cjs', { 'a.cjs': 'exports.default = () => "found"' }],
    ['exports.default in .js', { 'a.js': 'exports.default = () => "found"' }],
    [
      'exports.default of compiled code',
      { 'a.js': 'exports.__esModule = true; exports.default = () => "found"' },
    ],
    ['export default { default }', { 'a.mjs': 'export default { default: () => "found" }' }],
    ['a file in a folder', { 'src/lib/a.mjs': 'export default () => "found"' }],
    ['the nearest package.json', { 'src/a.js': 'export default () => "found"', 'src/package.json': MODULE }],
    [
      'behind a top-level await',
      { 'a.mjs': 'const text = await Promise.resolve("found"); export default () => text' },
    ],
    [
      'beside what it imports',
      {
        'a.mjs': 'import text from "./b.cjs"; export default () => text',
        'b.cjs': 'module.exports = "found"',
      },
    ],
  ])('%s', async (_name, files) => {
    const found = await load(files);
    expect(await found({} as never)).toBe('found');
  });
});

describe('the file is missing', () => {
  const fault = (name: string) => `Failed to load entrypoint, file ${name} does not exist.`;

  test('the message names the entrypoint, not what it is compiled to', async () => {
    expect(await faultOf({ 'other.js': '' }, { entrypoint: 'src/a.js', startFile: 'src/a.js' })).toBe(
      fault('src/a.js'),
    );
    expect(await faultOf({ 'a.ts': '' }, { startFile: 'a.ts.mjs' })).toBe(fault('a.ts'));
  });

  test('a folder is no file', async () => {
    expect(await faultOf({ 'src/a.js': '' }, { entrypoint: 'src', startFile: 'src' })).toBe(fault('src'));
  });

  test('nor is one in a folder that is not there', async () => {
    expect(await faultOf({ 'a.js': '' }, { codeDirectory: '/nowhere/at/all' })).toBe(fault('a.js'));
  });
});

describe('no function is exported', () => {
  test.each<[name: string, files: Record<string, string>]>([
    ['nothing', { 'a.mjs': '' }],
    ['nothing from CommonJS', { 'a.cjs': '' }],
    ['a named main alone', { 'a.mjs': 'export const main = () => {}' }],
    ['a named main alone from CommonJS', { 'a.cjs': 'exports.main = () => {}' }],
    ['text', { 'a.mjs': 'export default "text"' }],
    ['null', { 'a.cjs': 'module.exports = null' }],
    ['an object', { 'a.mjs': 'export default { main: () => {} }' }],
    ['a promise', { 'a.mjs': 'export default Promise.resolve(() => {})' }],
  ])('%s', async (_name, files) => {
    expect(await faultOf(files)).toBe(SIGNATURE);
  });
});

describe('the module throws', () => {
  test.each<[name: string, files: Record<string, string>, text: string]>([
    ['an Error', { 'a.mjs': 'throw new Error("boom")' }, 'Error: boom\n    at a.mjs:1:7'],
    [
      'an Error in CommonJS',
      { 'a.cjs': 'throw new Error("boom")' },
      'Error: boom\n    at Object.<anonymous> (a.cjs:1:7)',
    ],
    [
      'an Error in a file that it imports',
      { 'a.mjs': 'import "./lib/b.mjs"', 'lib/b.mjs': '\nthrow new TypeError("boom")' },
      'TypeError: boom\n    at lib/b.mjs:2:7',
    ],
    [
      'behind a top-level await',
      { 'a.mjs': 'await null; throw new Error("boom")' },
      'Error: boom\n    at a.mjs:1:19',
    ],
    ['text', { 'a.mjs': 'throw "boom"' }, 'boom'],
    ['null', { 'a.mjs': 'throw null' }, 'null'],
    ['undefined', { 'a.mjs': 'throw undefined' }, 'undefined'],
    ['an object', { 'a.mjs': 'throw { code: 1n }' }, '{"code":"1"}'],
    ['as a rejection', { 'a.mjs': 'await Promise.reject("boom")' }, 'boom'],
    [
      'as a file that is not there',
      { 'src/a.mjs': 'import "./b.mjs"' },
      "Error: Cannot find module 'src/b.mjs' imported from src/a.mjs",
    ],
    [
      'as a package that is not there',
      { 'a.mjs': 'import "not-there"' },
      "Error: Cannot find package 'not-there' imported from a.mjs",
    ],
    [
      'a SyntaxError of its own',
      { 'a.mjs': 'throw new SyntaxError("mine")' },
      'SyntaxError: mine\n    at a.mjs:1:7',
    ],
    ['by eval', { 'a.mjs': 'eval("1 +")' }, 'SyntaxError: Unexpected end of input\n    at a.mjs:1:1'],
    [
      'by JSON.parse',
      { 'a.mjs': 'JSON.parse("")' },
      'SyntaxError: Unexpected end of JSON input\n    at JSON.parse (<anonymous>)\n    at a.mjs:1:6',
    ],
  ])('%s', async (_name, files, text) => {
    expect(await faultOf(files)).toBe(`Failed to load module: ${text}`);
  });

  const own = { 'a.mjs': 'throw new SyntaxError("mine")' };
  const text = 'Failed to load module: SyntaxError: mine\n    at a.mjs:1:7';

  test('a SyntaxError of its own, and the root’s name has characters that addresses encode', async () => {
    const parent = writeDeployment({});
    const codeDirectory = join(parent, 'a b#c%d');
    mkdirSync(codeDirectory);
    renameSync(join(writeDeployment(own), 'a.mjs'), join(codeDirectory, 'a.mjs'));
    expect(await faultOf(own, { codeDirectory })).toBe(text);
  });

  test('a SyntaxError of its own, and the root is a link', async () => {
    const codeDirectory = join(writeDeployment({}), 'link');
    symlinkSync(writeDeployment(own), codeDirectory);
    expect(await faultOf(own, { codeDirectory })).toBe(text);
  });
});

describe('in a thread', () => {
  /** Runs several executions one after the other in one thread of that deployment. */
  async function runs(count: number, files: Record<string, string>) {
    const process = startRunner(runner.main, files);
    const thread = await process.start();
    const all: string[] = [];
    for (let i = 0; i < count; i++) {
      const { status, text, errors } = await thread.run();
      all.push(`${status} ${text}${errors}`);
    }
    return all;
  }

  test('a fault of loading is 503 without a body, each time', async () => {
    expect(await runs(2, { 'a.mjs': '' })).toEqual([`503 ${SIGNATURE}\n`, `503 ${SIGNATURE}\n`]);
    const broken = { 'a.mjs': 'let a; let a' };
    const syntax = expect.stringMatching(/^503 Syntax error in a\.mjs: .+\(line 1, column 12\)\n/);
    expect(await runs(2, broken)).toEqual([syntax, syntax]);
  });

  test('a module is loaded once', async () => {
    const files = {
      'a.mjs':
        'let count = globalThis.count = (globalThis.count ?? 0) + 1; export default ({ res }) => res.text(count)',
    };
    expect(await runs(3, files)).toEqual(['200 1', '200 1', '200 1']);
  });

  // What was missing at the first attempt, as a service may be, can be there at the next.
  const luck =
    'globalThis.attempts = (globalThis.attempts ?? 0) + 1; if (attempts < 3) throw "no luck " + attempts;';
  test.each<[name: string, files: Record<string, string>]>([
    ['an ES module', { 'a.mjs': `${luck} export default ({ res }) => res.text(attempts)` }],
    [
      'an ES module that took a while',
      { 'a.mjs': `await new Promise(setImmediate); ${luck} export default ({ res }) => res.text(attempts)` },
    ],
    ['a CommonJS module', { 'a.cjs': `${luck} module.exports = ({ res }) => res.text(attempts)` }],
    [
      'a required CommonJS module',
      {
        'a.cjs': 'module.exports = require("./b.cjs")',
        'b.cjs': `${luck} module.exports = ({ res }) => res.text(attempts)`,
      },
    ],
    [
      'what was required by a CommonJS module',
      {
        'a.cjs': `const attempts = require('./b.cjs'); if (attempts < 3) throw 'no luck ' + attempts;
          module.exports = ({ res }) => res.text(attempts)`,
        'b.cjs': 'module.exports = globalThis.attempts = (globalThis.attempts ?? 0) + 1',
      },
    ],
  ])('%s that threw is evaluated again', async (_name, files) => {
    expect(await runs(4, files)).toEqual([
      '503 Failed to load module: no luck 1\n',
      '503 Failed to load module: no luck 2\n',
      '200 3',
      '200 3',
    ]);
  });
});
