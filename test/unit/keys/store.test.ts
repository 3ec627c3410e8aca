import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { attachDatabase } from '../../../src/db/attach.js';
import { type Database, openDatabase } from '../../../src/db/client.js';
import { Writer } from '../../../src/db/writer.js';
import { KeyStore } from '../../../src/keys/store.js';

let folder: string;
let database: Database;
let keys: KeyStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keys-'));
  database = openDatabase(join(folder, 'test.sqlite'));
  keys = new KeyStore({ database, writer: new Writer(database.sqlite) });
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

test('a key is found by its secret, of which only a hash is stored', async () => {
  const { id, secret } = await keys.create({ name: 'ci' });
  expect(secret).toMatch(/^standard_[0-9a-f]{64}$/);
  const found = await keys.find(secret);
  expect(found?.id).toBe(id);
  expect(found?.scopes).toEqual(
    expect.arrayContaining(['functions.read', 'executions.read', 'executions.write']),
  );
  expect(JSON.stringify(database.sqlite.prepare('SELECT * FROM api_keys').all())).not.toContain(
    secret.slice('standard_'.length),
  );
});

test.each(['', 'standard_', 'x'.repeat(10_000)])('no key has the secret %.12j', async (secret) => {
  await keys.create({ name: 'ci' });
  expect(await keys.find(secret)).toBeNull();
});

test('keys are listed, counted and deleted', async () => {
  const first = await keys.create({ name: 'one' });
  const second = await keys.create({ name: 'two' });
  expect(await keys.count()).toBe(2);
  expect(await keys.list()).toMatchObject([
    { id: first.id, name: 'one' },
    { id: second.id, name: 'two' },
  ]);
  expect(await keys.find(first.secret)).not.toBeNull();
  expect(await keys.delete(first.id)).toBe(true);
  expect(await keys.delete(first.id)).toBe(false);
  expect(await keys.find(first.secret)).toBeNull();
  expect(await keys.find(second.secret)).not.toBeNull();
});

test('the key of the settings works and is not stored', async () => {
  const settingKey = 'the-operators-own-key';
  const withSetting = new KeyStore({ database, writer: new Writer(database.sqlite), settingKey });
  expect(await withSetting.find(settingKey)).toMatchObject({ id: 'API_KEY' });
  expect(await withSetting.count()).toBe(0);
  expect(await keys.find(settingKey)).toBeNull();
});

test('keys made elsewhere work at once, and deleted ones stop within a second', async () => {
  const elsewhere = attachDatabase(database.file);
  const other = new KeyStore({ database: elsewhere, writer: new Writer(elsewhere.sqlite) });
  expect(await keys.find('warm up')).toBeNull();
  const { id, secret } = await other.create({ name: 'made elsewhere' });
  expect(await keys.find(secret)).not.toBeNull();
  await other.delete(id);
  elsewhere.close();
  await vi.waitFor(async () => expect(await keys.find(secret)).toBeNull(), { timeout: 5_000, interval: 50 });
});
