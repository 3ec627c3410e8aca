import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../../src/db/client.js';
import { createListing, type Listing } from '../../../src/db/listing.js';
import { executionsTable } from '../../../src/db/listing-tables.js';
import type { Filter, ListQuery } from '../../../src/db/query.js';
import { buildListingWorker, temporaryDatabase } from './listing-fixture.js';

const ROWS = 200_000;

let database: Database;
let remove: () => void;
let hurried: Listing;
let patient: Listing;

beforeAll(() => {
  buildListingWorker();
  ({ database, remove } = temporaryDatabase());
  database.sqlite.exec(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
     INSERT INTO executions (id, function_id, deployment_id, trigger, status, created_at, updated_at, request_method, request_path, request_headers)
     SELECT 'e' || i, 'f', 'd', 'http', 'completed', i, i, 'GET', '/', '[]' FROM n`,
  );
  const common = { sqlite: database.sqlite, table: executionsTable };
  hurried = createListing({ ...common, budgetMs: 1 });
  patient = createListing({ ...common, budgetMs: 60_000 });
});

afterAll(async () => {
  await hurried.close();
  await patient.close();
  remove();
});

const filters: Filter[] = [
  { kind: 'compare', method: 'contains', attribute: 'requestPath', values: ['nowhere'] },
];
const EARLY = { method: 'lessThan', attribute: '$updatedAt', values: [3] };
const ask = (query: Partial<ListQuery>) => ({
  scope: { functionId: 'f' },
  query: { filters: [], orders: [], limit: 25, offset: 0, total: true, ...query },
});

test.each<[string, Partial<ListQuery>, string]>([
  ['the page', { filters, total: false }, 'requestPath'],
  // The page has its two rows at once; whether there are more, only a walk through all tells.
  ['the count', { filters: [{ ...filters[0]!, ...EARLY } as Filter], limit: 2 }, '$updatedAt'],
  ['a sort', { orders: [{ attribute: '$updatedAt', direction: 'asc' }], total: false }, 'order'],
])('%s that takes too long ends with what to narrow', async (_name, query, culprit) => {
  const error = await hurried.list(ask(query)).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ type: 'database_timeout', status: 408 });
  expect((error as Error).message).toContain(culprit);
  expect((error as Error).message).toContain('status, trigger, responseStatusCode, duration, $createdAt');
});

test('the thread goes on after a walk was ended', async () => {
  await expect(hurried.list(ask({ filters }))).rejects.toMatchObject({ type: 'database_timeout' });
  const first: Filter = { kind: 'compare', method: 'lessThan', attribute: '$updatedAt', values: [3] };
  expect((await hurried.list(ask({ filters: [first], limit: 2, total: false }))).sequences).toEqual([1, 2]);
});

test('the event loop turns while a walk is under way', async () => {
  let isWalking = true;
  const walk = patient.list(ask({ filters })).finally(() => {
    isWalking = false;
  });
  let turns = 0;
  while (isWalking) {
    await new Promise((resolve) => setImmediate(resolve));
    turns += 1;
  }
  expect(await walk).toEqual({ total: 0, sequences: [] });
  expect(turns).toBeGreaterThan(1);
});

test('the total stops at 5,000, indexed and walked', async () => {
  expect((await patient.list(ask({ limit: 1 }))).total).toBe(5000);
  const some: Filter = { kind: 'compare', method: 'equal', attribute: 'requestPath', values: ['/'] };
  expect((await patient.list(ask({ filters: [some], limit: 1 }))).total).toBe(5000);
});

test('too many walks at once are refused, not queued without end', async () => {
  const walks = await Promise.allSettled(Array.from({ length: 40 }, () => patient.list(ask({ filters }))));
  const refused = walks.filter((walk) => walk.status === 'rejected');
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.length).toBeLessThan(40);
  for (const walk of refused) expect(walk.reason).toMatchObject({ type: 'database_timeout' });
});
