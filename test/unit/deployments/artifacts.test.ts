import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FolderArtifacts } from '../../../src/deployments/artifacts.js';

let directory: string;
let artifacts: FolderArtifacts;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'artifacts-'));
  artifacts = new FolderArtifacts(directory);
});
afterEach(async () => {
  await artifacts.sweep([]);
  rmSync(directory, { recursive: true });
});

async function put(id = 'deployment1'): Promise<string> {
  const staging = await artifacts.stage();
  mkdirSync(join(staging.directory, 'bin'));
  writeFileSync(join(staging.directory, 'main.js'), 'code');
  writeFileSync(join(staging.directory, 'bin', 'tool'), '');
  chmodSync(join(staging.directory, 'bin', 'tool'), 0o700);
  symlinkSync('bin/tool', join(staging.directory, 'tool'));
  return staging.commit(id);
}

const mode = (path: string) => (statSync(path).mode & 0o7777).toString(8);

test('an artifact has an unguessable name and can only be read', async () => {
  const artifact = await put();
  expect(artifact).toMatch(/^deployment1-[0-9a-f]{32}$/);
  expect(readdirSync(directory)).toEqual([artifact]);
  const code = artifacts.path(artifact);
  expect(code).toBe(join(directory, artifact, 'code'));
  expect(mode(join(directory, artifact))).toBe('711');
  expect(mode(code)).toBe('555');
  expect(mode(join(code, 'bin'))).toBe('555');
  expect(mode(join(code, 'main.js'))).toBe('444');
  expect(mode(join(code, 'bin', 'tool'))).toBe('555');
  expect(readFileSync(join(code, 'main.js'), 'utf8')).toBe('code');
});

test('what is staged is nobody else’s and no artifact', async () => {
  const staging = await artifacts.stage();
  expect(mode(staging.directory)).toBe('700');
  expect(mode(join(staging.directory, '..'))).toBe('700');
  expect(readdirSync(directory)).toEqual([expect.stringMatching(/^\.tmp-/)]);
  await staging.discard();
  expect(readdirSync(directory)).toEqual([]);
});

test('can be removed, twice too', async () => {
  const artifact = await put();
  expect(await artifacts.has(artifact)).toBe(true);
  await artifacts.remove(artifact);
  await artifacts.remove(artifact);
  expect(await artifacts.has(artifact)).toBe(false);
  expect(readdirSync(directory)).toEqual([]);
});

test('a sweep removes what a crash left and what nobody names, and nothing else', async () => {
  const kept = await put('one');
  await put('two');
  const staging = await artifacts.stage();
  writeFileSync(join(staging.directory, 'half'), '');
  mkdirSync(join(directory, 'somebody-elses'));
  expect(await artifacts.sweep([kept])).toBe(2);
  expect(readdirSync(directory).sort()).toEqual([kept, 'somebody-elses'].sort());
});

test.each(['', '..', '../x', 'a/b', 'deployment1'])('%j is no name of an artifact', (name) => {
  expect(() => artifacts.path(name)).toThrow(/no name of an artifact/);
});
