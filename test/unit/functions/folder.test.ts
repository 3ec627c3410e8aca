import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ownRuntime } from '../../../src/functions/runtimes.js';
import { type House, openHouse } from './helpers.js';

const CODE = 'export default ({ res }) => res.text("ok");\n';

let house: House;
beforeEach(() => {
  house = openHouse();
});
afterEach(() => house.close());

const problems = () => house.log.filter(({ level }) => level >= 40).map(({ msg }) => msg);

describe('subfolders', () => {
  test('each is a function with its own name and the usual settings', async () => {
    house.write('greet/main.js', CODE);
    expect(await house.load()).toEqual({ deployed: ['greet'], unchanged: [], bad: [], disabled: [] });
    const { deployment } = await house.active('greet');
    expect(await house.functions.get('greet')).toMatchObject({
      name: 'greet',
      runtime: ownRuntime.$id,
      execute: ['any'],
      timeout: 15,
      enabled: true,
      logging: true,
      entrypoint: 'main.js',
      origin: 'folder',
      deploymentId: deployment.id,
      deploymentCreatedAt: deployment.createdAt,
      latestDeploymentId: deployment.id,
      latestDeploymentStatus: 'ready',
    });
    expect(deployment).toMatchObject({
      functionId: 'greet',
      type: 'manual',
      status: 'ready',
      activate: true,
      entrypoint: 'main.js',
      startFile: 'main.js',
      sourceSize: CODE.length,
      buildSize: CODE.length,
    });
    expect(problems()).toEqual([]);
  });

  test.each([
    [['main.js', 'index.ts', 'src/index.ts', 'src/main.cjs'], 'src/main.cjs'],
    [['src/main.js', 'src/main.mjs'], 'src/main.js'],
    [['index.js', 'main.mts'], 'main.mts'],
    [['index.cjs', 'other.js'], 'index.cjs'],
  ])('of %j the entrypoint is %s', async (files, entrypoint) => {
    for (const file of files) house.write(`f/${file}`, file.endsWith('.cjs') ? 'module.exports = 1' : CODE);
    await house.load();
    expect((await house.functions.get('f'))?.entrypoint).toBe(entrypoint);
  });

  test('else it is main of package.json', async () => {
    house.write('f/package.json', '{"main": "./lib/start.js"}');
    house.write('f/lib/start.js', CODE);
    await house.load();
    expect((await house.functions.get('f'))?.entrypoint).toBe('lib/start.js');
  });

  test('hidden folders, node_modules and files are no functions', async () => {
    house.write('.git/main.js', CODE);
    house.write('node_modules/main.js', CODE);
    house.write('notes.txt', '');
    expect(await house.load()).toMatchObject({ deployed: [], bad: [] });
  });

  test('bad ones are reported and the others loaded', async () => {
    house.write('empty/readme.txt', '');
    house.write('_hidden/main.js', CODE);
    house.write('lost/package.json', '{"main": "gone.js"}');
    house.write('outside/package.json', '{"main": "../empty/readme.txt"}');
    house.write('odd/package.json', '{');
    house.write('good/main.js', CODE);
    const { bad, deployed } = await house.load();
    expect(deployed).toEqual(['good']);
    expect(bad.sort()).toEqual(['_hidden', 'empty', 'lost', 'odd', 'outside']);
    const text = problems().join('\n');
    expect(text).toMatch(/empty was not loaded: it has no entrypoint/);
    expect(text).toMatch(/_hidden was not loaded: its id/);
    expect(text).toMatch(/gone\.js, does not exist/);
    expect(text).toMatch(/must be a path within its folder/);
    expect(text).toMatch(/package\.json is not JSON/);
    expect(await house.functions.get('empty')).toBeNull();
  });
});

describe('code', () => {
  test('unchanged makes no new deployment, whatever its times say', async () => {
    house.write('f/main.js', CODE);
    await house.load();
    const before = await house.active('f');
    utimesSync(join(house.directory, 'f/main.js'), 1, 1);
    expect(await house.load()).toMatchObject({ deployed: [], unchanged: ['f'] });
    expect(await house.active('f')).toEqual(before);
    expect(await house.deployments.listForFunction('f')).toHaveLength(1);
  });

  test.each([
    ['contents', () => house.write('f/lib.js', 'export const a = 2;')],
    ['a new file', () => house.write('f/more.js', '')],
    ['a file that is gone', () => house.remove('f/lib.js')],
    ['the executable bit', () => house.write('f/lib.js', 'export const a = 1;', 0o755)],
    ['a link', () => house.link('f/link', 'lib.js')],
    ['another entrypoint', () => house.write('f/src/main.js', CODE)],
  ])('%s makes one, which becomes the active one', async (_, change) => {
    house.write('f/main.js', CODE);
    house.write('f/lib.js', 'export const a = 1;');
    await house.load();
    const { deployment: first } = await house.active('f');
    change();
    expect(await house.load()).toMatchObject({ deployed: ['f'] });
    const { deployment: second } = await house.active('f');
    expect(second.id).not.toBe(first.id);
    expect((await house.deployments.listForFunction('f')).map(({ id }) => id)).toEqual([second.id, first.id]);
    expect(await house.artifacts.has(first.artifact)).toBe(true);
  });

  test('is deployed again when its artifact is lost', async () => {
    house.write('f/main.js', CODE);
    await house.load();
    await house.artifacts.remove((await house.active('f')).deployment.artifact);
    expect(await house.load()).toMatchObject({ deployed: ['f'] });
    expect(existsSync((await house.active('f')).code)).toBe(true);
  });

  test('comes without .git and .env, with node_modules and links within', async () => {
    house.write('f/main.js', CODE);
    house.write('f/.env', 'SECRET=1');
    house.write('f/.git/config', '');
    house.write('f/lib/.env', 'SECRET=1');
    house.write('f/.prettierrc', '{}');
    house.write('f/node_modules/a/cli.js', '', 0o755);
    house.link('f/node_modules/.bin/a', '../a/cli.js');
    house.link('f/absolute', join(house.directory, 'f/lib'));
    await house.load();
    const { code } = await house.active('f');
    expect(readdirSync(code).sort()).toEqual(['.prettierrc', 'absolute', 'lib', 'main.js', 'node_modules']);
    expect(readdirSync(join(code, 'lib'))).toEqual([]);
    expect(readlinkSync(join(code, 'node_modules/.bin/a'))).toBe('../a/cli.js');
    expect(statSync(join(code, 'node_modules/.bin/a')).mode & 0o777).toBe(0o555);
    expect(readlinkSync(join(code, 'absolute'))).toBe('lib');
    expect(lstatSync(join(code, 'main.js')).mode & 0o777).toBe(0o444);
  });

  test('with a link that leads out of the folder is refused', async () => {
    house.write('secret.txt', 'x');
    house.write('f/main.js', CODE);
    house.link('f/up', '../secret.txt');
    house.write('g/main.js', CODE);
    house.link('g/inner', '.');
    house.link('g/through', 'inner/../secret.txt');
    house.link('h/main.js', join(house.directory, 'secret.txt'));
    expect((await house.load()).bad.sort()).toEqual(['f', 'g', 'h']);
    expect(problems().join()).toMatch(/up is a link that leads out of the folder, to \.\.\/secret\.txt/);
  });

  test('with something that is no file is refused', async () => {
    house.write('f/main.js', CODE);
    execFileSync('mkfifo', [join(house.directory, 'f/pipe')]);
    expect((await house.load()).bad).toEqual(['f']);
    expect(problems().join()).toMatch(/pipe is neither a file/);
  });

  test('that stops being loadable leaves the function as it was', async () => {
    house.write('f/main.js', CODE);
    await house.load();
    const before = await house.functions.get('f');
    house.link('f/out', '/etc');
    expect((await house.load()).bad).toEqual(['f']);
    expect(await house.functions.get('f')).toEqual(before);
  });

  test('never includes the data folder', async () => {
    house.write('appwrite.config.json', config({ $id: 'f', path: '..' }, { $id: 'g', path: '../data' }));
    expect((await house.load()).bad).toEqual(['f', 'g']);
    expect(problems()).toEqual([
      expect.stringMatching(/f was not loaded.*must be apart/),
      expect.stringMatching(/g was not loaded.*must be apart/),
    ]);
  });

  test('leaves nothing behind when it can’t be compiled', async () => {
    house.write('f/main.ts', 'export default (: nonsense');
    await house.load();
    expect(readdirSync(house.artifactsDirectory)).toEqual([]);
  });
});

describe('TypeScript', () => {
  test('is compiled with its local files, and can require', async () => {
    house.write(
      'f/src/main.ts',
      `import { add } from './add.js';
       import type { Missing } from './nowhere.js';
       enum Sign { End = '!' }
       const { sep } = require('node:path');
       export default (a: number): string => add(a, 1) + Sign.End + sep + typeof __dirname;`,
    );
    house.write('f/src/add.ts', 'export const add = (a: number, b: number): number => a + b;');
    await house.load();
    expect(problems()).toEqual([]);
    const { deployment } = await house.active('f');
    expect(deployment).toMatchObject({ entrypoint: 'src/main.ts', startFile: 'src/main.ts.mjs' });
    expect(deployment.buildSize).toBeGreaterThan(deployment.sourceSize);
    expect((await house.run('f'))(1)).toBe('2!/string');
    expect(await house.load()).toMatchObject({ unchanged: ['f'] });
  });

  test('.cts becomes CommonJS', async () => {
    house.write('appwrite.config.json', config({ $id: 'f', path: 'f', entrypoint: 'main.cts' }));
    house.write('f/main.cts', 'const x: number = 1; export = () => x + typeof module;');
    await house.load();
    expect((await house.active('f')).deployment.startFile).toBe('main.cts.cjs');
    expect((await house.run('f'))(0)).toBe('1object');
  });

  test('keeps packages as imports, with its own names for what CommonJS has', async () => {
    house.write(
      'f/main.mts',
      `import { createRequire } from 'node:module';
       import answer from 'answers';
       const require = createRequire(import.meta.url);
       const __filename = 'mine';
       export default () => [answer, require('answers/package.json').name, __filename];`,
    );
    house.write('f/node_modules/answers/package.json', '{"name":"answers","type":"module","main":"i.js"}');
    house.write('f/node_modules/answers/i.js', 'export default 42;');
    await house.load();
    expect((await house.run('f'))(0)).toEqual([42, 'answers', 'mine']);
  });

  test('errors are reported with file and line', async () => {
    house.write('f/src/main.ts', `import './lib.js';\nexport default () => 1;`);
    house.write('f/src/lib.ts', 'const a = 1;\nconst b = = 2;');
    house.write('g/main.ts', `import '../f/src/lib.js';`);
    await house.load();
    expect(problems()).toEqual([
      expect.stringMatching(/f was not loaded: it can't be compiled: src\/lib\.ts:2:11: Unexpected "="/),
      expect.stringMatching(/g was not loaded: it can't be compiled: main\.ts:1:8: Could not resolve/),
    ]);
  });

  test('nothing in the way is overwritten', async () => {
    house.write('f/main.ts', CODE);
    house.write('f/main.ts.mjs', CODE);
    await house.load();
    expect(problems()).toEqual([expect.stringMatching(/main\.ts\.mjs is where main\.ts is compiled to/)]);
  });
});

describe('settings follow the folder', () => {
  test('a changed setting changes the function and not its code', async () => {
    house.write('f/main.js', CODE);
    house.write('appwrite.config.json', config({ $id: 'f', path: 'f', timeout: 20 }));
    await house.load();
    const before = await house.functions.get('f');
    house.write('appwrite.config.json', config({ $id: 'f', path: 'f', timeout: 30, execute: ['users'] }));
    expect(await house.load()).toMatchObject({ unchanged: ['f'] });
    const after = await house.functions.get('f');
    expect(after).toMatchObject({ timeout: 30, execute: ['users'], deploymentId: before?.deploymentId });
  });

  test('nothing changed, nothing written', async () => {
    house.write('f/main.js', CODE);
    await house.load();
    const before = await house.functions.get('f');
    await house.load();
    expect(await house.functions.get('f')).toBe(before);
  });

  test('a function whose folder is gone is disabled until it is back', async () => {
    house.write('f/main.js', CODE);
    house.write('g/main.js', CODE);
    await house.load();
    house.remove('f');
    expect((await house.load()).disabled).toEqual(['f']);
    expect(await house.functions.get('f')).toMatchObject({ enabled: false });
    expect(await house.functions.get('g')).toMatchObject({ enabled: true });
    expect(problems()).toEqual([expect.stringMatching(/f is gone from the folder/)]);
    expect((await house.load()).disabled).toEqual([]);
    house.write('f/main.js', CODE);
    expect(await house.load()).toMatchObject({ unchanged: ['f', 'g'] });
    expect(await house.functions.get('f')).toMatchObject({ enabled: true });
  });

  test('a functions folder that is missing or can’t be understood changes nothing', async () => {
    house.write('f/main.js', CODE);
    await house.load();
    await house.load(join(house.root, 'nowhere'));
    house.write('appwrite.config.json', '{"functions": [');
    await house.load();
    expect(problems()).toEqual([
      expect.stringMatching(/nowhere does not exist.*FUNCTIONS_DIR/),
      expect.stringMatching(/appwrite\.config\.json is not JSON/),
    ]);
    expect(await house.functions.get('f')).toMatchObject({ enabled: true });
  });
});

describe('old deployments', () => {
  test('the newest five stay', async () => {
    const artifacts: string[] = [];
    for (let version = 0; version < 7; version++) {
      house.write('f/main.js', `${CODE}// ${version}`);
      await house.load();
      artifacts.push((await house.active('f')).deployment.artifact);
    }
    expect(await house.cleanUp()).toEqual({ deployments: 2, artifacts: 2 });
    expect(readdirSync(house.artifactsDirectory).sort()).toEqual(artifacts.slice(2).sort());
    expect(await house.deployments.listForFunction('f')).toHaveLength(5);
    expect(await house.cleanUp()).toEqual({ deployments: 0, artifacts: 0 });
  });
});

test('the functions that come with the server load', async () => {
  const shipped = new URL('../../../functions', import.meta.url).pathname;
  expect((await house.load(shipped)).deployed).toEqual(['csv-to-json', 'hello']);
  expect(readFileSync(join((await house.active('hello')).code, 'main.mjs'), 'utf8')).toContain(
    'export default',
  );
});

function config(...functions: Record<string, unknown>[]): string {
  return JSON.stringify({ functions: functions.map((one) => ({ runtime: ownRuntime.$id, ...one })) });
}
