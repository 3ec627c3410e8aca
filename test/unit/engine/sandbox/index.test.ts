import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chooseSandbox, type SandboxChoice } from '../../../../src/engine/sandbox/index.js';
import { StartupError } from '../../../../src/errors.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'choose-'));
  mkdirSync(join(folder, 'data'));
  for (const path of ['dist/runner', 'dist/engine', 'node_modules/piscina']) {
    mkdirSync(join(folder, 'server', path), { recursive: true });
  }
  for (const path of ['package.json', 'dist/runner/main.js', 'dist/engine/channel.js']) {
    writeFileSync(join(folder, 'server', path), path === 'package.json' ? '{"type":"module"}' : '');
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const choose = (changes: Partial<SandboxChoice>) =>
  chooseSandbox({
    wanted: 'auto',
    hostIsLoopback: true,
    dataDirectory: join(folder, 'data'),
    network: 'none',
    installRoot: join(folder, 'server'),
    ...changes,
  });

test('the level `process` works everywhere and says what it is', async () => {
  const { sandbox, notes } = await choose({ wanted: 'process', hostIsLoopback: false });
  expect(sandbox.level).toBe('process');
  expect(notes.join()).toContain('no wall');
});

test('the level `user` is refused', async () => {
  await expect(choose({ wanted: 'user' })).rejects.toThrow(StartupError);
  await expect(choose({ wanted: 'user' })).rejects.toThrow('does not have that level yet');
});

test('a level that does not work is an error that says why, never another level', async () => {
  rmSync(join(folder, 'server/dist/engine/channel.js'));
  for (const wanted of ['process', 'bubblewrap'] as const) {
    const error: Error = await choose({ wanted }).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(StartupError);
    expect(error.message).toContain(`SANDBOX=${wanted}`);
  }
});

test('auto refuses a reachable address where nothing keeps hostile code in', async () => {
  // Without its program the strong level cannot work on any machine.
  rmSync(join(folder, 'server/dist/runner'), { recursive: true });
  const refusal = choose({ hostIsLoopback: false });
  await expect(refusal).rejects.toThrow(StartupError);
  await expect(refusal).rejects.toThrow('SANDBOX=process');
});

test('auto starts with what works and leaves nothing in the data folder', async () => {
  const { sandbox, notes } = await choose({});
  if (sandbox.level === 'process') expect(notes[0]).toMatch(/bubblewrap/);
  else expect(sandbox.level).toBe('bubblewrap');
  expect(readdirSync(join(folder, 'data'))).toEqual([]);
});

test('a started runner runs the program and sees the code', async () => {
  writeFileSync(
    join(folder, 'server/dist/runner/main.js'),
    `import { writeSync, readdirSync } from 'node:fs'; writeSync(3, readdirSync('.').join() + process.cwd());`,
  );
  const code = join(folder, 'data/code');
  mkdirSync(code);
  writeFileSync(join(code, 'index.js'), '');
  const { sandbox } = await choose({});
  const { child, codeDirectory, release } = sandbox.start({
    codeDirectory: code,
    network: 'none',
    threadChannels: 1,
  });
  try {
    const seen = await new Promise((resolve, reject) => {
      child.stdio[3]!.once('data', (chunk: Buffer) => resolve(chunk.toString()));
      child.once('error', reject);
    });
    expect(seen).toBe(`index.js${codeDirectory}`);
  } finally {
    child.kill('SIGKILL');
    for (const stream of child.stdio) stream?.destroy();
    release();
  }
});

test('a deployment that is not there is an error at once', async () => {
  const { sandbox } = await choose({});
  const spec = { codeDirectory: join(folder, 'nowhere'), network: 'none', threadChannels: 1 } as const;
  expect(() => sandbox.start(spec)).toThrow('ENOENT');
});
