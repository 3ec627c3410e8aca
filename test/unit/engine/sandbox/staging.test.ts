import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { blockingFolders, isOpen, stage, stagedCommand } from '../../../../src/engine/sandbox/staging.js';

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'staging-')));
  mkdirSync(join(folder, 'server/dist'), { recursive: true });
  mkdirSync(join(folder, 'server/modules'));
  writeFileSync(join(folder, 'server/dist/main.js'), '');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('nothing is moved where everybody may pass', () => {
  chmodSync(folder, 0o711);
  const mounts = [{ source: join(folder, 'server/dist'), target: '/dist' }];
  expect(stage(mounts)).toEqual({ mounts, place: null, sources: [] });
});

test.skipIf(process.platform !== 'linux')('sources below a closed folder share what lies below it', () => {
  chmodSync(folder, 0o700);
  expect(blockingFolders(join(folder, 'server/dist'))).toEqual([folder]);
  const { mounts, place, sources } = stage([
    { source: join(folder, 'server/dist'), target: '/dist' },
    { source: join(folder, 'server'), target: '/all' },
    { source: '/usr/share', target: '/share' },
  ]);
  expect(sources).toEqual([join(folder, 'server')]);
  expect(mounts).toEqual([
    { source: `${place}/0/dist`, target: '/dist' },
    { source: `${place}/0`, target: '/all' },
    { source: '/usr/share', target: '/share' },
  ]);
});

test('the last of several closed folders counts', () => {
  chmodSync(folder, 0o700);
  chmodSync(join(folder, 'server'), 0o700);
  expect(blockingFolders(join(folder, 'server/dist'))).toEqual([folder, join(folder, 'server')]);
  const { sources } = stage([
    { source: join(folder, 'server/dist'), target: '/dist' },
    { source: join(folder, 'server/modules'), target: '/modules' },
  ]);
  expect(sources).toEqual([join(folder, 'server/dist'), join(folder, 'server/modules')]);
});

test('a file is open when others may read it, a folder when they may also pass', () => {
  const file = join(folder, 'server/dist/main.js');
  const modes = (path: string, list: number[]): boolean[] =>
    list.map((mode) => {
      chmodSync(path, mode);
      return isOpen(path);
    });
  expect(modes(file, [0o600, 0o644])).toEqual([false, true]);
  expect(modes(join(folder, 'server/modules'), [0o700, 0o744, 0o711, 0o755])).toEqual([
    false,
    false,
    false,
    true,
  ]);
});

test('no path becomes part of the shell’s text', () => {
  const { args } = stagedCommand({ place: '/mnt', sources: ['/a "$(b)'] }, 210_001, [
    '/usr/bin/bwrap',
    '--x',
  ]);
  const script = args.indexOf('-c') + 1;
  expect(args.slice(script + 1)).toEqual(['sh', '/mnt', '210001', '/a "$(b)', '--', '/usr/bin/bwrap', '--x']);
  expect(args[script]).not.toContain('/mnt');
});
