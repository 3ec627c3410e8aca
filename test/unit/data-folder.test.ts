import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DataFolder, openDataFolder } from '../../src/data-folder.js';
import { StartupError } from '../../src/errors.js';

let parent: string;
let directory: string;
const opened: DataFolder[] = [];
const children: ChildProcess[] = [];

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'data-folder-'));
  directory = join(parent, 'some', 'data');
});

afterEach(() => {
  for (const folder of opened.splice(0)) folder.release();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(parent, { recursive: true });
});

function open(): DataFolder {
  const folder = openDataFolder(directory);
  opened.push(folder);
  return folder;
}

test.runIf(process.platform === 'linux')(
  'a folder that can never be made is an error, not a search without end',
  () => {
    directory = '/proc/no-such-folder/data';
    expect(open).toThrow(StartupError);
  },
);

const mode = (...path: string[]) => (statSync(join(directory, ...path)).mode & 0o7777).toString(8);

/** Another process that tries to take the lock, says whether it could, and stays. */
async function lockElsewhere(): Promise<{ child: ChildProcess; answer: string }> {
  const script = `
    const lock = new (require('better-sqlite3'))(process.argv[1], { timeout: 0 });
    try { lock.exec('BEGIN EXCLUSIVE'); console.log('taken'); } catch (error) { console.log(error.code); }
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', script, join(directory, 'db', 'lock')]);
  children.push(child);
  const [answer] = await once(child.stdout!, 'data');
  return { child, answer: String(answer).trim() };
}

test('makes the folders with their modes, whatever the umask', () => {
  const before = process.umask(0o077);
  try {
    const folder = open();
    expect(folder.databaseFile).toBe(join(directory, 'db', 'executions.sqlite'));
    expect(folder.artifactsDirectory).toBe(join(directory, 'artifacts'));
  } finally {
    process.umask(before);
  }
  expect(mode()).toBe('711');
  expect(mode('db')).toBe('700');
  expect(mode('db', 'lock')).toBe('600');
  expect(mode('artifacts')).toBe('711');
});

test('mends the modes of a folder it finds', () => {
  open().release();
  for (const path of ['', 'db', 'artifacts']) chmodSync(join(directory, path), 0o777);
  open();
  expect([mode(), mode('db'), mode('artifacts')]).toEqual(['711', '700', '711']);
});

test('is held once: in this process', () => {
  const first = open();
  expect(open).toThrow(/Another server is using the data folder .*DATA_DIR/s);
  first.release();
  expect(open).not.toThrow();
});

test('is held once: across processes, and free again when a process is killed', async () => {
  const folder = open();
  expect((await lockElsewhere()).answer).toBe('SQLITE_BUSY');
  folder.release();
  const { child, answer } = await lockElsewhere();
  expect(answer).toBe('taken');
  expect(open).toThrow(StartupError);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(open).not.toThrow();
});

test('an empty folder is taken, with lost+found of a volume in it too', () => {
  mkdirSync(join(directory, 'lost+found'), { recursive: true });
  expect(open).not.toThrow();
});

test('a folder with other files is refused and left as it is', () => {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'thesis.txt'), 'x');
  chmodSync(directory, 0o755);
  expect(open).toThrow(/holds other files.*DATA_DIR/s);
  expect(mode()).toBe('755');
});

test.each(['some', 'some/data', 'some/data/db'])('a file at %s is refused', (path) => {
  mkdirSync(join(parent, path, '..'), { recursive: true });
  writeFileSync(join(parent, path), 'x');
  expect(open).toThrow(StartupError);
  expect(open).toThrow(/DATA_DIR/);
});

test('a folder that can’t be written is refused', () => {
  // To root only what the kernel itself keeps is closed.
  const closed = process.getuid?.() === 0 ? '/sys/kernel' : join(parent, 'closed');
  if (closed.startsWith(parent)) mkdirSync(closed, { mode: 0o555 });
  expect(() => openDataFolder(join(closed, 'data'))).toThrow(/may not write.*DATA_DIR/s);
});
