import BetterSqlite3 from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../../src/db/client.js';
import { createListing, type Listing, type ListRequest } from '../../../src/db/listing.js';
import { executionsTable, functionsTable } from '../../../src/db/listing-tables.js';
import type { Filter, ListQuery, Order } from '../../../src/db/query.js';
import { buildListingWorker, insertRows, makeRow, temporaryDatabase } from './listing-fixture.js';

let database: Database;
let remove: () => void;
let connection: BetterSqlite3.Database;
let listing: Listing;
/** What ran on the main connection, parameters filled in. */
let statements: string[];

beforeAll(() => {
  buildListingWorker();
  ({ database, remove } = temporaryDatabase());
  insertRows(
    database,
    Array.from({ length: 40 }, (_, i) => makeRow(i + 1, { functionId: i < 30 ? 'f' : 'g' })),
  );
  connection = new BetterSqlite3(database.file, { verbose: (sql) => statements.push(String(sql)) });
  statements = [];
  listing = createListing({ sqlite: connection, table: executionsTable, budgetMs: 60_000 });
});

beforeEach(() => {
  statements = [];
});

afterAll(async () => {
  await listing.close();
  connection.close();
  remove();
});

const compare = (
  method: Extract<Filter, { kind: 'compare' }>['method'],
  attribute: string,
  ...values: (string | number)[]
): Filter => ({ kind: 'compare', method, attribute, values });

const ask = (query: Partial<ListQuery>, functionId: string | null = 'f'): ListRequest => ({
  scope: functionId === null ? {} : { functionId },
  query: { filters: [], orders: [], limit: 25, offset: 0, total: true, ...query },
});

const by = (attribute: string, direction: Order['direction']): Order[] => [{ attribute, direction }];
const after = { cursor: { id: 'e15', direction: 'after' as const } };
const before = { cursor: { id: 'e15', direction: 'before' as const } };

describe('what an index serves', () => {
  const values: Record<string, [string | number, string | number]> = {
    status: ['completed', 'failed'],
    trigger: ['http', 'event'],
    responseStatusCode: [200, 500],
    duration: [0.5, 2],
    $createdAt: [1001, 1020],
  };
  const index = executionsTable.indexes!.attributes;
  const cases: [string, ListRequest, string][] = [];
  for (const page of [{ cursor: undefined }, after, before]) {
    const paging = page.cursor?.direction ?? 'first page';
    const add = (name: string, query: Partial<ListQuery>, expected: string) =>
      cases.push([`${name}, ${paging}`, ask({ ...query, ...page }), expected]);
    for (const direction of ['asc', 'desc'] as const) {
      add(
        `no filter, by $sequence ${direction}`,
        { orders: by('$sequence', direction) },
        'executions_function',
      );
      for (const [attribute, [a, b]] of Object.entries(values)) {
        const orders = by(attribute, direction);
        const name = `by ${attribute} ${direction}`;
        add(`no filter, ${name}`, { orders }, index[attribute]!);
        add(`lessThan, ${name}`, { orders, filters: [compare('lessThan', attribute, b)] }, index[attribute]!);
        add(
          `greaterThanEqual, ${name}`,
          { orders, filters: [compare('greaterThanEqual', attribute, a)] },
          index[attribute]!,
        );
        add(
          `between, ${name}`,
          { orders, filters: [compare('between', attribute, a, b)] },
          index[attribute]!,
        );
        const equal = [compare('equal', attribute, a)];
        add(
          `equal, by $sequence ${direction}, ${attribute}`,
          { orders: by('$sequence', direction), filters: equal },
          index[attribute]!,
        );
        add(`equal, ${name}`, { orders, filters: equal }, index[attribute]!);
        add(
          `equal to some, by $sequence ${direction}, ${attribute}`,
          { orders: by('$sequence', direction), filters: [compare('equal', attribute, a, b)] },
          index[attribute]!,
        );
      }
    }
  }
  cases.push(['$id', ask({ filters: [compare('equal', '$id', 'e3')] }), 'executions_id']);
  cases.push([
    'one function among all',
    ask({ filters: [compare('equal', 'functionId', 'f')], orders: by('$sequence', 'desc') }, null),
    'executions_function',
  ]);

  test.each(cases)('%s', async (_name, request, expected) => {
    await listing.list(request);
    const read = statements.filter((sql) => !sql.includes('WHERE id ='));
    // Page and count, both here: nothing was left to a thread.
    expect(read).toHaveLength(2);
    for (const sql of read) {
      // Without filters there is nothing but the function to count by.
      const isFree = request.query.filters.length === 0 && sql.includes('count(*)');
      const used = isFree ? 'executions_function' : expected;
      const steps = planOfSql(sql);
      const isSortOfFew = expected === 'executions_id' && sql.includes('LIMIT 25');
      if (!isSortOfFew) expect(steps.join('\n')).not.toContain('TEMP B-TREE');
      const reading = steps.filter((step) => /^(SEARCH|SCAN) t\b/.test(step));
      expect(reading.length).toBeGreaterThan(0);
      for (const step of reading) {
        expect(step).toMatch(new RegExp(`^SEARCH t USING (COVERING )?INDEX ${used} \\(`));
      }
    }
  });

  test.each(['asc', 'desc'] as const)('all functions at once, %s', async (direction) => {
    await listing.list(ask({ orders: by('$sequence', direction), ...after }, null));
    const [, page, count] = statements.map((sql) => planOfSql(sql).join('\n'));
    expect(page).toMatch(/^SEARCH t USING INTEGER PRIMARY KEY \(rowid[<>]\?\)$/);
    expect(count).toMatch(/SCAN t USING COVERING INDEX/);
  });

  test('a cursor among rows of the same value enters the index at that very row', async () => {
    await listing.list(ask({ orders: by('duration', 'desc'), total: false, ...after }));
    const plan = planOfSql(statements.at(-1)!).join('\n');
    expect(plan).toContain('executions_duration (function_id=? AND duration=? AND seq<?)');
    expect(plan).toContain('executions_duration (function_id=? AND duration<?)');
  });

  function planOfSql(sql: string): string[] {
    const rows = database.sqlite.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[];
    return rows.map((row) => row.detail);
  }
});

describe('what no index serves is left to a thread', () => {
  test.each<[string, ListRequest]>([
    ['another attribute', ask({ filters: [compare('equal', 'requestMethod', 'GET')] })],
    [
      'an or',
      ask({
        filters: [{ kind: 'or', filters: [compare('equal', 'status', 'a'), compare('isNull', 'status')] }],
      }),
    ],
    ['a filter of all functions', ask({ filters: [compare('equal', 'status', 'failed')] }, null)],
    ['another order', ask({ orders: by('$updatedAt', 'desc'), total: false })],
    ['a random order', ask({ orders: by('$sequence', 'random'), total: false })],
    ['a deep offset', ask({ offset: 20_000, total: false })],
  ])('%s', async (_name, request) => {
    await listing.list(request);
    expect(statements).toEqual([]);
  });

  test('few rows of a narrow filter are sorted instead of walking in order', async () => {
    const page = await listing.list(
      ask({ filters: [compare('equal', 'status', 'completed')], orders: by('$createdAt', 'desc'), limit: 3 }),
    );
    expect(page).toEqual({ total: 30, sequences: [30, 29, 28] });
  });
});

describe('rules', () => {
  test('the order of insertion is the order unless told', async () => {
    expect(await listing.list(ask({ limit: 3 }))).toEqual({ total: 30, sequences: [1, 2, 3] });
  });

  test('ties go in the leading direction', async () => {
    const page = await listing.list(ask({ orders: by('status', 'desc'), limit: 3 }));
    expect(page.sequences).toEqual([30, 29, 28]);
  });

  test('a random order has all rows, once', async () => {
    const { sequences } = await listing.list(ask({ orders: by('$sequence', 'random'), limit: 100 }));
    expect(sequences.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
  });

  test('the total is not counted when not asked for', async () => {
    const page = await listing.list(ask({ total: false, limit: 1 }));
    expect(page).toEqual({ total: 0, sequences: [1] });
    expect(statements).toHaveLength(1);
  });

  test('offset counts from the cursor', async () => {
    expect((await listing.list(ask({ ...after, offset: 2, limit: 2 }))).sequences).toEqual([18, 19]);
    expect((await listing.list(ask({ ...before, offset: 2, limit: 2 }))).sequences).toEqual([11, 12]);
  });

  test('a guest sees none', async () => {
    const request = { ...ask({}), scope: { functionId: 'f', userId: null } };
    expect(await listing.list(request)).toEqual({ total: 0, sequences: [] });
  });

  test.each(['nothing', 'e35'])('the cursor %s names nothing in this function', async (id) => {
    await expect(listing.list(ask({ cursor: { id, direction: 'after' } }))).rejects.toMatchObject({
      type: 'general_cursor_not_found',
      message: `Execution '${id}' for the 'cursor' value not found.`,
    });
  });

  test('a cursor without a value of the order', async () => {
    await expect(listing.list(ask({ ...after, orders: by('scheduledAt', 'asc') }))).rejects.toMatchObject({
      type: 'database_query_order_null',
      message:
        "The order attribute 'scheduledAt' had a null value. Cursor pagination requires all documents order attribute values are non-null.",
    });
  });

  test('a cursor in a random order', async () => {
    await expect(listing.list(ask({ ...after, orders: by('$sequence', 'random') }))).rejects.toMatchObject({
      type: 'general_query_invalid',
    });
  });

  test('values never become SQL', async () => {
    const filters = [compare('equal', 'status', "x' OR '1'='1"), compare('contains', 'requestPath', "%' --")];
    expect(await listing.list(ask({ filters }))).toEqual({ total: 0, sequences: [] });
  });
});

test('a small table is answered at once, by its rowid', async () => {
  const insert = database.sqlite.prepare(
    `INSERT INTO functions (id, created_at, updated_at, name, runtime, execute, events, scopes, enabled)
     VALUES (?, 1, 1, ?, 'node-20.0', '[]', '[]', '[]', ?)`,
  );
  insert.run('zeta', 'Send mail', 1);
  insert.run('alpha', 'Resize pictures', 0);
  const functions = createListing({ sqlite: connection, table: functionsTable });
  const searchColumns = ['id', 'name', 'runtime'];
  const list = async (query: Partial<ListQuery>) =>
    (await functions.list({ ...ask(query, null), searchColumns })).sequences;
  expect(await list({})).toEqual([1, 2]);
  expect(await list({ orders: by('$id', 'asc') })).toEqual([2, 1]);
  expect(
    await list({ filters: [{ kind: 'compare', method: 'equal', attribute: 'enabled', values: [true] }] }),
  ).toEqual([1]);
  expect(await list({ cursor: { id: 'zeta', direction: 'after' } })).toEqual([2]);
  expect(await list({ search: 'SEND mail' })).toEqual([1]);
  expect(await list({ search: 'send pictures' })).toEqual([]);
  expect(await list({ search: '%' })).toEqual([]);
  await functions.close();
});
