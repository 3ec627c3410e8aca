import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../../src/db/client.js';
import { createListing, type Listing } from '../../../src/db/listing.js';
import { allExecutionAttributes, executionsTable } from '../../../src/db/listing-tables.js';
import type { CompareMethod, Filter, ListQuery, Order } from '../../../src/db/query.js';
import { buildListingWorker, insertRows, makeRow, type Row, temporaryDatabase } from './listing-fixture.js';

/** The whole listing against a model that filters, sorts and cuts an array, in the plainest way. */

let database: Database;
let remove: () => void;
let listing: Listing;

const domains: Record<string, (string | number)[]> = {
  status: ['waiting', 'completed', 'failed', 'none'],
  trigger: ['http', 'schedule'],
  responseStatusCode: [0, 200, 404, 500],
  duration: [0, 0.25, 1.5, 3],
  $createdAt: [1000, 1001, 1005, 1009],
  $updatedAt: [2000, 2002, 2004],
  scheduledAt: [5000, 5001],
  requestMethod: ['GET', 'POST'],
  requestPath: ['/', '/a', '/A%_b\\', '/ab?q=1', 'a', '%', 'Q='],
  deploymentId: ['d1', 'd2'],
  $id: ['e1', 'e7', 'e30', 'nothing'],
  functionId: ['f', 'g', 'x'],
  $sequence: [1, 20, 100, 150],
};
const textual = new Set([
  'status',
  'trigger',
  'requestMethod',
  'requestPath',
  'deploymentId',
  '$id',
  'functionId',
]);

const pick = (seed: number, attribute: string) => {
  const values = domains[attribute]!;
  return values[seed % values.length]!;
};

const rows: Row[] = Array.from({ length: 240 }, (_, i) => {
  const seq = i + 1;
  const mix = (n: number) => Math.imul(seq * 2654435761 + n * 40503, 2246822519) >>> 8;
  return makeRow(seq, {
    functionId: mix(1) % 4 === 0 ? 'g' : 'f',
    status: String(['waiting', 'completed', 'completed', 'failed'][mix(2) % 4]),
    trigger: String(pick(mix(3), 'trigger')),
    responseStatusCode: Number(pick(mix(4), 'responseStatusCode')),
    duration: Number(pick(mix(5), 'duration')),
    createdAt: 1000 + (mix(6) % 10),
    updatedAt: Number(pick(mix(7), '$updatedAt')),
    scheduledAt: mix(8) % 3 === 0 ? Number(pick(mix(9), 'scheduledAt')) : null,
    requestMethod: String(pick(mix(10), 'requestMethod')),
    requestPath: ['/', '/a', '/A%_b\\', '/ab?q=1', '/axb'][mix(11) % 5]!,
    deploymentId: String(pick(mix(12), 'deploymentId')),
    userId: mix(13) % 3 === 0 ? 'u' : null,
  });
});

beforeAll(() => {
  buildListingWorker();
  ({ database, remove } = temporaryDatabase());
  insertRows(database, rows);
  // The property is about answers, not about time.
  listing = createListing({ sqlite: database.sqlite, table: executionsTable, budgetMs: 60_000 });
});

afterAll(async () => {
  await listing.close();
  remove();
});

type Value = string | number | null;

const keys: Record<string, keyof Row> = {
  $id: 'id',
  $createdAt: 'createdAt',
  $updatedAt: 'updatedAt',
  $sequence: 'seq',
};
const valueIn = (row: Row, attribute: string): Value => row[keys[attribute] ?? (attribute as keyof Row)];

function holds(filter: Filter, row: Row): boolean {
  if (filter.kind === 'and') return filter.filters.every((part) => holds(part, row));
  if (filter.kind !== 'compare') return filter.filters.some((part) => holds(part, row));
  const value = valueIn(row, filter.attribute);
  const values = filter.values as (string | number)[];
  if (filter.method === 'isNull') return value === null;
  if (value === null) return false;
  const text = String(value).toLowerCase();
  const texts = values.map((item) => String(item).toLowerCase());
  const [a = 0, b = 0] = values;
  const tests: Record<Exclude<CompareMethod, 'isNull'>, () => boolean> = {
    equal: () => values.includes(value),
    notEqual: () => value !== a,
    lessThan: () => value < a,
    lessThanEqual: () => value <= a,
    greaterThan: () => value > a,
    greaterThanEqual: () => value >= a,
    between: () => value >= a && value <= b,
    notBetween: () => value < a || value > b,
    startsWith: () => text.startsWith(texts[0]!),
    notStartsWith: () => !text.startsWith(texts[0]!),
    endsWith: () => text.endsWith(texts[0]!),
    notEndsWith: () => !text.endsWith(texts[0]!),
    contains: () => texts.some((item) => text.includes(item)),
    containsAny: () => texts.some((item) => text.includes(item)),
    containsAll: () => texts.every((item) => text.includes(item)),
    notContains: () => !texts.some((item) => text.includes(item)),
    isNotNull: () => true,
  };
  return tests[filter.method]();
}

function compare(a: Value, b: Value): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return a < b ? -1 : 1;
}

interface Scope {
  functionId?: string;
  userId?: string;
}

function model(scope: Scope, filters: Filter[], orders: Order[]): Row[] {
  const tie = orders[0]?.direction ?? 'asc';
  return rows
    .filter((row) => scope.functionId === undefined || row.functionId === scope.functionId)
    .filter((row) => scope.userId === undefined || row.userId === scope.userId)
    .filter((row) => filters.every((filter) => holds(filter, row)))
    .sort((x, y) => {
      for (const { attribute, direction } of [...orders, { attribute: '$sequence', direction: tie }]) {
        const order = compare(valueIn(x, attribute), valueIn(y, attribute));
        if (order !== 0) return direction === 'desc' ? -order : order;
      }
      return 0;
    });
}

const attributes = [...Object.keys(allExecutionAttributes), '$sequence'];
/** Those with an index come more often, so that all ways through the table are taken. */
const anAttribute = fc.oneof(
  fc.constantFrom('status', 'trigger', 'responseStatusCode', 'duration', '$createdAt'),
  fc.constantFrom(...attributes),
);

const comparison: fc.Arbitrary<Filter> = anAttribute.chain((attribute) => {
  const value = fc.constantFrom(...domains[attribute]!);
  const some = fc.array(value, { minLength: 1, maxLength: 12 });
  const make = (methods: CompareMethod[], values: fc.Arbitrary<(string | number)[]>): fc.Arbitrary<Filter> =>
    fc.record({
      kind: fc.constant('compare' as const),
      method: fc.constantFrom(...methods),
      attribute: fc.constant(attribute),
      values,
    });
  const one = fc.tuple(value);
  const choices = [
    make(['equal'], one),
    make(['equal'], some),
    make(['notEqual', 'lessThan', 'lessThanEqual', 'greaterThan', 'greaterThanEqual'], one),
    make(['between', 'notBetween'], fc.tuple(value, value)),
    make(['isNull', 'isNotNull'], fc.constant([])),
  ];
  if (textual.has(attribute)) {
    choices.push(make(['startsWith', 'notStartsWith', 'endsWith', 'notEndsWith'], one));
    choices.push(make(['contains', 'containsAny', 'containsAll', 'notContains'], some));
  }
  return fc.oneof(...choices);
});

const filter: fc.Arbitrary<Filter> = fc.oneof(
  { weight: 4, arbitrary: comparison },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      filters: fc.array(comparison, { minLength: 2, maxLength: 3 }),
    }),
  },
);

const order: fc.Arbitrary<Order> = fc.record({
  attribute: anAttribute,
  direction: fc.constantFrom('asc' as const, 'desc' as const),
});

const listCase = fc.record({
  scope: fc.oneof(
    { weight: 3, arbitrary: fc.constant<Scope>({ functionId: 'f' }) },
    { weight: 1, arbitrary: fc.constantFrom<Scope>({}, { functionId: 'g', userId: 'u' }, { userId: 'u' }) },
  ),
  filters: fc.array(filter, { maxLength: 3 }),
  orders: fc.oneof(
    fc.constant<Order[]>([]),
    order.map((one) => [one]),
    fc.array(order, { maxLength: 3 }),
  ),
  limit: fc.integer({ min: 1, max: 60 }),
  offset: fc.integer({ min: 0, max: 30 }),
});

const sequencesOf = (found: Row[]) => found.map((row) => row.seq);

test('a page by offset, and the total, are those of the model', async () => {
  await fc.assert(
    fc.asyncProperty(listCase, async ({ scope, filters, orders, limit, offset }) => {
      const expected = sequencesOf(model(scope, filters, orders));
      const query: ListQuery = { filters, orders, limit, offset, total: true };
      expect(await listing.list({ scope, query })).toEqual({
        total: expected.length,
        sequences: expected.slice(offset, offset + limit),
      });
    }),
    { numRuns: 1500 },
  );
});

test('pages by cursor, forwards and backwards, join to the whole list of the model', async () => {
  await fc.assert(
    fc.asyncProperty(
      listCase,
      fc.constantFrom('after' as const, 'before' as const),
      async ({ scope, filters, orders, limit }, direction) => {
        const all = model(scope, filters, orders);
        const base = { filters, orders, limit, offset: 0, total: false };
        let at = direction === 'after' ? 0 : all.length - 1;
        // The first page forwards needs no cursor; backwards the last row is the first cursor.
        const read: Row[] = direction === 'after' ? all.slice(0, limit) : all.slice(-1);
        at = direction === 'after' ? read.length - 1 : at;
        while (at >= 0 && at < all.length) {
          const cursor = all[at]!;
          const query: ListQuery = { ...base, cursor: { id: cursor.id, direction } };
          const constant = new Set(
            filters.flatMap((f) => (f.kind === 'compare' && f.method === 'equal' ? [f.attribute] : [])),
          );
          const isNull = orders.some(
            (o) =>
              o.attribute === 'scheduledAt' && cursor.scheduledAt === null && !constant.has('scheduledAt'),
          );
          const before = orders.findIndex((o) => o.attribute === '$sequence' || o.attribute === '$id');
          const nullAt = orders.findIndex((o) => o.attribute === 'scheduledAt');
          if (isNull && (before < 0 || nullAt < before)) {
            await expect(listing.list({ scope, query })).rejects.toMatchObject({
              type: 'database_query_order_null',
            });
            return;
          }
          const expected =
            direction === 'after'
              ? all.slice(at + 1, at + 1 + limit)
              : all.slice(Math.max(0, at - limit), at);
          const page = await listing.list({ scope, query });
          expect(page).toEqual({ total: 0, sequences: sequencesOf(expected) });
          if (expected.length === 0) return;
          at = direction === 'after' ? at + expected.length : at - expected.length;
        }
      },
    ),
    { numRuns: 500 },
  );
});
