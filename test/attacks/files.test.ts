import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Level } from '../../src/engine/sandbox/launch.js';
import { hasBubblewrap, missing } from '../support/requirements.js';
import { type LevelName, makeWorld, openLevel, runInside, type World } from './world.js';

const CANARY = 'canary-of-the-server';

for (const name of ['bubblewrap', 'process'] as LevelName[]) {
  describe.skipIf(name === 'bubblewrap' && missing('bubblewrap', hasBubblewrap()))(`files: ${name}`, () => {
    let world: World;
    let level: Level;
    let inside: (program: string) => Promise<unknown>;

    beforeAll(async () => {
      world = makeWorld();
      writeFileSync(join(world.dataDirectory, 'canary'), CANARY);
      process.env.SANDBOX_TEST_CANARY = CANARY;
      level = await openLevel(name, world);
      inside = (program) => runInside(level, program, { codeDirectory: world.code });
    });
    afterAll(() => {
      delete process.env.SANDBOX_TEST_CANARY;
      world.remove();
    });

    test('sees its own code', async () => {
      expect(await inside(`answer([fs.readdirSync('.'), fs.readFileSync('main.js', 'utf8')])`)).toEqual([
        ['main.js'],
        readFileSync(join(world.code, 'main.js'), 'utf8'),
      ]);
    });

    test('sees no file of the machine or of the server', async () => {
      const paths = [
        '/root',
        '/home',
        '/var',
        '/etc/shadow',
        '/etc/passwd',
        '/sys',
        '/run',
        join(world.dataDirectory, 'canary'),
        process.cwd(),
        join(world.installRoot, 'node_modules'),
      ];
      const seen = await inside(
        `answer(${JSON.stringify(paths)}.map((path) => attempt(() => (fs.statSync(path).isDirectory() ? fs.readdirSync(path) : fs.readFileSync(path, 'utf8')))))`,
      );
      const refused = expect.stringMatching(/^error (ENOENT|EACCES|EPERM|ERR_ACCESS_DENIED)$/);
      expect(seen).toEqual(paths.map(() => refused));
    });

    test('has nothing of the environment of the server', async () => {
      const environment = (await inside('answer(process.env)')) as Record<string, string>;
      expect(JSON.stringify(environment)).not.toContain(CANARY);
      // The last three are a shell's.
      const known = ['HOME', 'LANG', 'PATH', 'TMPDIR', 'TZ', 'PWD', 'SHLVL', '_'];
      expect(Object.keys(environment).filter((key) => !known.includes(key))).toEqual([]);
    });

    test('writes to its temporary folder and nowhere else', async () => {
      const folders = ['.', '/', '/usr', '/dev', '/opt', '/opt/runner', world.dataDirectory, '/tmp/..'];
      const program = `
        const write = (folder) => attempt(() => { fs.writeFileSync(folder + '/planted', 'x'); return 'written'; });
        answer([write(require('node:os').tmpdir()), ${JSON.stringify(folders)}.map(write)])`;
      const refused = expect.stringMatching(/^error (EROFS|ENOENT|EACCES|ERR_ACCESS_DENIED)$/);
      expect(await inside(program)).toEqual(['written', folders.map(() => refused)]);
    });
  });
}

describe.skipIf(missing('bubblewrap', hasBubblewrap()))('files: bubblewrap only', () => {
  let world: World;
  beforeAll(() => {
    world = makeWorld();
  });
  afterAll(() => world.remove());

  test('the root holds the system, the code and the runner, and no more', async () => {
    const level = await openLevel('bubblewrap', world);
    const root = await runInside(level, `answer([fs.readdirSync('/'), fs.readdirSync('/dev').sort()])`, {
      codeDirectory: world.code,
    });
    const allowed = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'usr', 'dev', 'proc', 'tmp', 'opt'];
    const [names, devices] = root as [string[], string[]];
    expect(names.filter((name) => ![...allowed, 'function'].includes(name))).toEqual([]);
    expect(devices).toEqual(['full', 'null', 'random', 'urandom', 'zero']);
  });

  test('the temporary folder has a limit', async () => {
    const level = await openLevel('bubblewrap', world);
    const program = `
      const file = fs.openSync('/tmp/big', 'w');
      const piece = Buffer.alloc(1024 * 1024);
      let written = 0;
      const result = attempt(() => { for (;;) written += fs.writeSync(file, piece); });
      answer([result, written]);`;
    expect(await runInside(level, program, { codeDirectory: world.code })).toEqual([
      'error ENOSPC',
      64 * 1024 * 1024,
    ]);
  });

  test('what the runner’s first process was started with holds no secret', async () => {
    process.env.SANDBOX_TEST_CANARY = CANARY;
    try {
      const level = await openLevel('bubblewrap', world);
      const program = `answer(['environ', 'cmdline'].map((name) => attempt(() => fs.readFileSync('/proc/1/' + name, 'latin1'))))`;
      const answer = await runInside(level, program, { codeDirectory: world.code });
      expect(JSON.stringify(answer)).not.toContain(CANARY);
    } finally {
      delete process.env.SANDBOX_TEST_CANARY;
    }
  });

  test('a deployment and a server below folders that only root may pass can be run', async () => {
    const hidden = makeWorld();
    try {
      mkdirSync(join(hidden.dataDirectory, 'secret'));
      writeFileSync(join(hidden.dataDirectory, 'secret/canary'), CANARY);
      chmodSync(hidden.folder, 0o700);
      chmodSync(hidden.dataDirectory, 0o700);
      const level = await openLevel('bubblewrap', hidden);
      if (process.getuid?.() === 0) expect(level.notes.join()).toContain(hidden.folder);
      const program = `
        answer([fs.readdirSync('.'), attempt(() => fs.writeFileSync('planted', '')), process.getuid(),
          ['/mnt', '/media', '/srv', '${hidden.folder}'].map((path) => attempt(() => fs.readdirSync(path)))])`;
      expect(await runInside(level, program, { codeDirectory: hidden.code })).toEqual([
        ['main.js'],
        'error EROFS',
        1000,
        ['error ENOENT', 'error ENOENT', 'error ENOENT', 'error ENOENT'],
      ]);
    } finally {
      hidden.remove();
    }
  });
});
