import { beforeAll, describe, expect, test } from 'vitest';
import { type CompiledRunner, compileRunner, writeDeployment } from './compiled.js';
import { startRunner } from './runner-process.js';

let runner: CompiledRunner;
beforeAll(async () => {
  runner = await compileRunner();
  return runner.remove;
});

/** The fault on loading the first of the files. */
async function faultOf(files: Record<string, string>, entrypoint = Object.keys(files)[0]!): Promise<string> {
  const location = { codeDirectory: writeDeployment(files), entrypoint, startFile: Object.keys(files)[0]! };
  return runner.load(location).then(
    () => 'none',
    (error: Error) => error.message,
  );
}

/** A file whose second line can't be parsed, at column 15. */
const broken = (start: string) => `${start}() => {\n    const b = * 2;\n};\n`;
const where = (file: string) =>
  `Syntax error in ${file}: Unexpected token '*' (line 2, column 15)\n    const b = * 2;\n              ^`;
const MODULE = '{"type":"module"}';

describe('the file, the line, the column and the line itself are named', () => {
  test.each<[name: string, files: Record<string, string>, file: string]>([
    ['.mjs', { 'a.mjs': broken('export default ') }, 'a.mjs'],
    ['.cjs', { 'a.cjs': broken('module.exports = ') }, 'a.cjs'],
    ['.js of a module', { 'src/a.js': broken('export default '), 'package.json': MODULE }, 'src/a.js'],
    ['.js of CommonJS', { 'src/a.js': broken('module.exports = ') }, 'src/a.js'],
    ['.js that is a module by its syntax alone', { 'src/a.js': broken('export default ') }, 'src/a.js'],
    [
      'an imported file',
      { 'src/a.mjs': "import b from '../lib/b.mjs';", 'lib/b.mjs': broken('export default ') },
      'lib/b.mjs',
    ],
    [
      'an imported file that is a module by its syntax alone',
      { 'a.js': 'import b from "./b.js";\nexport default b', 'b.js': broken('export default ') },
      'b.js',
    ],
    [
      'a file imported by an imported file',
      {
        'a.mjs': 'import { c } from "./b.mjs"',
        'b.mjs': 'export * from "./c.mjs"',
        'c.mjs': broken('export const c = '),
      },
      'c.mjs',
    ],
    [
      'a file imported at run time',
      { 'a.mjs': 'await import("./b.mjs")', 'b.mjs': broken('export default ') },
      'b.mjs',
    ],
    [
      'a required file',
      { 'a.cjs': 'module.exports = require("./lib/b")', 'lib/b.js': broken('module.exports = ') },
      'lib/b.js',
    ],
    [
      'a file beside one that only CommonJS allows',
      {
        'a.js': 'import "./b.js";\nimport "./c.js";',
        'b.js': 'if (true) return;',
        'c.js': broken('export default '),
      },
      'c.js',
    ],
  ])('%s', async (_name, files, file) => {
    expect(await faultOf(files)).toBe(where(file));
  });

  test('in a compiled entrypoint, by the name that its author knows', async () => {
    const files = { 'a.ts.mjs': broken('export default '), 'a.ts': '' };
    expect(await faultOf(files, 'a.ts')).toBe(where('a.ts'));
  });

  test('for an import of what a file does not export', async () => {
    const files = { 'a.mjs': '\nimport { x } from "./b.mjs";', 'b.mjs': 'export const y = 1' };
    expect(await faultOf(files)).toBe(
      "Syntax error in a.mjs: The requested module './b.mjs' does not provide an export named 'x' (line 2, column 10)\n" +
        'import { x } from "./b.mjs";\n         ^',
    );
  });
});

test.each<[name: string, files: Record<string, string>]>([
  ['imported', { 'a.mjs': 'import b from "./b.json" with { type: "json" }', 'b.json': '{"b":}' }],
  ['required', { 'a.cjs': 'require("./b.json")', 'b.json': '{"b":}' }],
])('of JSON that is %s the file is named', async (_name, files) => {
  expect(await faultOf(files)).toBe(
    'Syntax error in b.json: Unexpected token \'}\', "{"b":}" is not valid JSON',
  );
});

test('files that import each other are looked at once', async () => {
  const files = {
    'a.mjs': 'import "./b.mjs"; import "./c.mjs"',
    'b.mjs': 'import "./a.mjs"',
    'c.mjs': broken('export default '),
  };
  expect(await faultOf(files)).toBe(where('c.mjs'));
});

test('what only looks like an import is passed over', async () => {
  const files = {
    'a.mjs': '// from "//host/x", from "./%2f", from "/not/there.mjs"\nimport "./b.mjs"',
    'b.mjs': broken('export default '),
  };
  expect(await faultOf(files)).toBe(where('b.mjs'));
});

test('a CommonJS file that an ES module imports, in a thread', async () => {
  // Node leaves a rejection behind here, which must not end the thread.
  const process = startRunner(runner.main, {
    'a.mjs': 'import b from "./b.cjs"; export default b',
    'b.cjs': broken('module.exports = '),
  });
  const thread = await process.start();
  for (let i = 0; i < 2; i++) {
    expect(await thread.run()).toMatchObject({
      status: 503,
      text: '',
      logs: '',
      errors: `${where('b.cjs')}\n`,
    });
  }
  expect(thread.closed).toBe(false);
});
