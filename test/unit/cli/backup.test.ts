import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { backup } from '../../../src/cli/backup.js';
import { loadConfig } from '../../../src/config.js';
import { openDataFolder } from '../../../src/data-folder.js';
import { openDatabase } from '../../../src/db/client.js';
import { Writer } from '../../../src/db/writer.js';
import { StartupError } from '../../../src/errors.js';
import { KeyStore } from '../../../src/keys/store.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'backup-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const config = () => loadConfig({ DATA_DIR: join(folder, 'data') });

test('beside a server that holds the folder, with what has just been written', async () => {
  const data = openDataFolder(config().dataDir);
  const database = openDatabase(data.databaseFile);
  await new KeyStore({ database, writer: new Writer(database.sqlite) }).create({ name: 'in the backup' });
  const file = join(folder, 'copy.sqlite');
  await backup(config(), file);
  database.close();
  data.release();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const copy = openDatabase(file);
  const listed = await new KeyStore({ database: copy, writer: new Writer(copy.sqlite) }).list();
  copy.close();
  expect(listed).toMatchObject([{ name: 'in the backup' }]);
});

test('overwrites nothing', async () => {
  const data = openDataFolder(config().dataDir);
  openDatabase(data.databaseFile).close();
  data.release();
  const file = join(folder, 'precious');
  writeFileSync(file, 'mine');
  await expect(backup(config(), file)).rejects.toThrow(/precious is there already/);
  expect(readFileSync(file, 'utf8')).toBe('mine');
  await expect(backup(config(), join(folder, 'no', 'folder'))).rejects.toThrow(StartupError);
});

test('without a database it says so and makes none', async () => {
  await expect(backup(config(), join(folder, 'copy'))).rejects.toThrow(/DATA_DIR/);
  expect(readdirSync(folder)).toEqual([]);
});
