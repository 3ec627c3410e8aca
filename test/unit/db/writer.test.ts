import BetterSqlite3 from 'better-sqlite3';
import { beforeEach, expect, test } from 'vitest';
import { Writer } from '../../../src/db/writer.js';

let sqlite: BetterSqlite3.Database;
let writer: Writer;
let transactions: number;

beforeEach(() => {
  transactions = 0;
  sqlite = new BetterSqlite3(':memory:', {
    verbose: (sql) => {
      if (sql === 'COMMIT') transactions += 1;
    },
  });
  sqlite.exec('CREATE TABLE numbers (n INTEGER PRIMARY KEY)');
  writer = new Writer(sqlite);
});

const insert = (n: number) => () => sqlite.prepare('INSERT INTO numbers VALUES (?)').run(n).changes;
const stored = () => sqlite.prepare('SELECT n FROM numbers ORDER BY n').pluck().all();

test('the changes of one turn share one transaction', async () => {
  const results = await Promise.all([1, 2, 3].map((n) => writer.write(insert(n))));
  expect(results).toEqual([1, 1, 1]);
  expect(stored()).toEqual([1, 2, 3]);
  expect(transactions).toBe(1);
});

test('a change that fails takes no other one with it', async () => {
  const results = await Promise.allSettled([1, 2, 2, 3].map((n) => writer.write(insert(n))));
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(stored()).toEqual([1, 2, 3]);
});

test('a change is committed when its promise resolves, and later ones form a new group', async () => {
  await writer.write(insert(1));
  expect(sqlite.inTransaction).toBe(false);
  await writer.write(insert(2));
  expect(transactions).toBe(2);
});
