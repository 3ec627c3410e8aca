import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../../src/db/client.js';
import { createListing, type Listing } from '../../../src/db/listing.js';
import { executionsTable } from '../../../src/db/listing-tables.js';
import type { ListQuery } from '../../../src/db/query.js';
import { buildListingWorker, insertRows, makeRow, temporaryDatabase } from './listing-fixture.js';

let database: Database;
let remove: () => void;
let listing: Listing;

const texts: [path: string, logs: string, errors: string][] = [
  ['/users/42?x=1', 'paid an invoice', ''],
  ['/users/43', 'secret token', 'Error: boom'],
  ['/orders/42', '', ''],
  ['/naïve/Ünïcode', 'AND OR NOT', ''],
];

beforeAll(() => {
  buildListingWorker();
  ({ database, remove } = temporaryDatabase());
  insertRows(database, [
    ...texts.map(([requestPath], i) => makeRow(i + 1, { requestPath, id: `exec${i + 1}`, duration: 9 - i })),
    // Not indexed yet, and of another function.
    makeRow(5, { id: 'exec5' }),
    makeRow(6, { id: 'exec6', functionId: 'g', requestPath: '/users/42' }),
  ]);
  const index = database.sqlite.prepare(
    'INSERT INTO execution_search (rowid, id, path, logs, errors) VALUES (?, ?, ?, ?, ?)',
  );
  texts.forEach(([path, logs, errors], i) => {
    index.run(i + 1, `exec${i + 1}`, path, logs, errors);
  });
  index.run(6, 'exec6', '/users/42', '', '');
  listing = createListing({ sqlite: database.sqlite, table: executionsTable, budgetMs: 60_000 });
});

afterAll(async () => {
  await listing.close();
  remove();
});

const ALL = ['id', 'path', 'logs', 'errors'];
const search = async (text: string, searchColumns = ALL, query: Partial<ListQuery> = {}) =>
  listing.list({
    scope: { functionId: 'f' },
    query: { filters: [], orders: [], limit: 25, offset: 0, total: true, search: text, ...query },
    searchColumns,
  });
const found = async (...args: Parameters<typeof search>) => (await search(...args)).sequences;

test.each<[string, number[]]>([
  ['users', [1, 2]],
  ['use', [1, 2]],
  ['sers', []],
  ['42', [1, 3]],
  ['42 invo', [1]],
  ['/users/42', [1]],
  ['/users/4', [1, 2]],
  ['BOOM', [2]],
  ['naive unicode', [4]],
  ['exec2', [2]],
  ['exec', [1, 2, 3, 4]],
  ['users orders', []],
])('each word begins a word of the row: %s', async (text, expected) => {
  expect(await search(text)).toEqual({ total: expected.length, sequences: expected });
});

test('only the allowed columns are searched', async () => {
  expect(await found('secret', ['id', 'path'])).toEqual([]);
  expect(await found('secret')).toEqual([2]);
  expect(await found('users', ['id', 'path'])).toEqual([1, 2]);
});

test('the id of a row that is not indexed yet', async () => {
  expect(await search('exec5')).toEqual({ total: 1, sequences: [5] });
  expect(await found(' exec5 ', ['id', 'path'])).toEqual([5]);
  expect(await found('exec6')).toEqual([]);
});

test.each([
  'AND',
  'OR',
  'NOT',
  '"',
  '""',
  'use"',
  '*',
  '^users',
  'logs:secret',
  '{logs}:secret',
  'NEAR(users 42)',
  '(',
  ')',
  "'",
  '-users',
  'a+b',
  'us\0ers',
  '\u{1f600}',
  '\ud800',
  'x'.repeat(256),
  '(users',
  'users)',
  'path : users',
])('no text has a meaning to the index: %j', async (text) => {
  const { sequences } = await search(text, ['id', 'path']);
  expect(sequences.every((sequence) => sequence <= 4)).toBe(true);
});

test('a text without letter or digit matches nothing, an empty one is no search', async () => {
  expect(await search('?! /')).toEqual({ total: 0, sequences: [] });
  expect(await found('  ')).toEqual([1, 2, 3, 4, 5]);
});

test('a search is filtered, ordered and paged like any list', async () => {
  const desc = [{ attribute: '$sequence', direction: 'desc' as const }];
  expect(await found('exec', ALL, { orders: desc, limit: 2 })).toEqual([4, 3]);
  expect(await found('exec', ALL, { orders: desc, cursor: { id: 'exec3', direction: 'after' } })).toEqual([
    2, 1,
  ]);
  expect(await found('exec', ALL, { cursor: { id: 'exec4', direction: 'before' }, limit: 2 })).toEqual([
    2, 3,
  ]);
  expect(await found('exec', ALL, { orders: [{ attribute: 'duration', direction: 'asc' }] })).toEqual([
    4, 3, 2, 1,
  ]);
  const filters: ListQuery['filters'] = [
    { kind: 'compare', method: 'greaterThan', attribute: 'duration', values: [7] },
  ];
  expect(await search('exec', ALL, { filters, limit: 1 })).toEqual({ total: 2, sequences: [1] });
});
