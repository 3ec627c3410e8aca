import type BetterSqlite3 from 'better-sqlite3';
import { ApiError } from '../errors.js';
import { type Plan, planOf, type Shape, type SortColumn, shapeOf } from './listing-plan.js';
import { matchExpression, searchWords } from './listing-search.js';
import type { Sql } from './listing-sql.js';
import { type Position, type Search, Statements } from './listing-statements.js';
import type { ListingTable } from './listing-tables.js';
import { Walker } from './listing-walker.js';
import type { ListQuery } from './query.js';

const DEFAULT_BUDGET_MS = 1000;
const MAX_PREPARED = 200;
/** Below so many rows it is cheaper to sort them than to walk in order and look for them. */
const FEW = 5000;

export interface ListingScope {
  /** Absent: all functions. */
  functionId?: string;
  /** Absent: everybody's rows. `null`: nobody's, as for a guest. */
  userId?: string | null;
}

export interface ListRequest {
  scope: ListingScope;
  query: ListQuery;
  /** Where `query.search` looks: columns of the table's index of words, or of the table if it has none. */
  searchColumns?: readonly string[];
}

export interface ListPage {
  /** How many rows match, up to 5,000; 0 when not asked for. */
  total: number;
  /** The rows of the page, in order. */
  sequences: number[];
}

export interface Listing {
  /**
   * Finds one page.
   * @throws ApiError general_cursor_not_found, database_query_order_null, general_query_invalid (a cursor in a
   * random order), database_timeout
   */
  list(request: ListRequest): Promise<ListPage>;
  /** Ends the threads; lists that are under way fail. */
  close(): Promise<void>;
}

export interface ListingOptions {
  /** The connection that answers what an index serves. */
  sqlite: BetterSqlite3.Database;
  table: ListingTable;
  /** How long a list that no index serves may take; in ms, 1,000 unless told. */
  budgetMs?: number;
}

/** Lists of one table: filtered, ordered, paged by cursor or offset, counted. */
export function createListing(options: ListingOptions): Listing {
  return new TableListing(options);
}

class TableListing implements Listing {
  readonly #sqlite: BetterSqlite3.Database;
  readonly #table: ListingTable;
  readonly #budgetMs: number;
  readonly #walker: Walker;
  /** By their SQL, the longest unused first. */
  readonly #prepared = new Map<string, BetterSqlite3.Statement>();

  constructor({ sqlite, table, budgetMs = DEFAULT_BUDGET_MS }: ListingOptions) {
    this.#sqlite = sqlite;
    this.#table = table;
    this.#budgetMs = budgetMs;
    this.#walker = new Walker(sqlite.name);
  }

  async list({ scope, query, searchColumns = [] }: ListRequest): Promise<ListPage> {
    if (scope.userId === null) return { total: 0, sequences: [] };
    const { functionId, userId } = scope;
    const text = query.search?.trim() ?? '';
    const shape = shapeOf(this.#table, { functionId, userId }, query, text !== '');
    const position = query.cursor && this.#locate(query.cursor.id, { functionId, userId }, shape);
    const search = text === '' ? undefined : this.#search(text, searchColumns);
    if (search === null) return { total: 0, sequences: [] };
    const plan = planOf(this.#table, shape);
    const isBackwards = query.cursor?.direction === 'before';
    const order = isBackwards ? shape.order.map(reverse) : shape.order;

    const statements = (isIndexed: boolean) => new Statements(this.#table, shape, search, !isIndexed);
    const page = (access: Plan['page']) =>
      statements(plan.isPageIndexed).page(access, order, position, query.limit, query.offset);
    const pageSql = page(this.#isNarrow(plan, statements(true)) ? plan.narrowPage! : plan.page);
    const countSql = query.total
      ? statements(plan.isCountIndexed).count(plan.countNarrowing, plan.isCountById)
      : undefined;

    const [sequences, [total = 0]] = await this.#run(plan, pageSql, countSql);
    return { total, sequences: isBackwards ? sequences.reverse() : sequences };
  }

  close(): Promise<void> {
    return this.#walker.close();
  }

  /** Runs what an index serves here, and the rest in a thread. */
  async #run(plan: Plan, page: Sql, count: Sql | undefined): Promise<[number[], number[]]> {
    const walks = [...(plan.isPageIndexed ? [] : [page]), ...(count && !plan.isCountIndexed ? [count] : [])];
    const walked =
      walks.length === 0 ? [] : await this.#walker.walk({ statements: walks, budgetMs: this.#budgetMs });
    if (walked === null) throw this.#timeout(plan);
    const results = walked as number[][];
    const sequences = plan.isPageIndexed ? this.#all(page) : results.shift()!;
    const total = !count ? [] : plan.isCountIndexed ? this.#all(count) : results.shift()!;
    return [sequences, total];
  }

  #isNarrow(plan: Plan, statements: Statements): boolean {
    if (plan.isPageIndexed || !plan.narrowPage) return false;
    return this.#all(statements.narrowCount(plan.narrowPage.narrowing))[0]! < FEW;
  }

  /** The place of the cursor's row in the order. */
  #locate(
    id: string,
    scope: { functionId: string | undefined; userId: string | undefined },
    shape: Shape,
  ): Position {
    if (shape.isRandom) {
      throw new ApiError('general_query_invalid', 'A cursor has no meaning in a random order.');
    }
    const { table, idColumn, functionColumn, userColumn } = this.#table;
    const conditions = [`${idColumn} = ?`];
    const params = [id];
    if (scope.functionId !== undefined) {
      conditions.push(`${functionColumn} = ?`);
      params.push(scope.functionId);
    }
    if (scope.userId !== undefined) {
      conditions.push(`${userColumn} = ?`);
      params.push(scope.userId);
    }
    const columns = shape.order.map(({ attribute }) => this.#columnOf(attribute));
    const values = this.#prepare(
      `SELECT ${columns.join(', ')} FROM ${table} WHERE ${conditions.join(' AND ')}`,
    )
      .raw()
      .get(...params) as (string | number | null)[] | undefined;
    if (!values) throw new ApiError('general_cursor_not_found', this.#table.cursorMessage(id));
    const nullAt = values.indexOf(null);
    if (nullAt >= 0) {
      throw new ApiError(
        'database_query_order_null',
        `The order attribute '${shape.order[nullAt]!.attribute}' had a null value. Cursor pagination requires all documents order attribute values are non-null.`,
      );
    }
    return { values: values as (string | number)[] };
  }

  /** @returns `null` when nothing can match */
  #search(text: string, columns: readonly string[]): Search | null {
    const { searchTable, table, idColumn, sequenceColumn } = this.#table;
    if (searchTable === undefined) {
      const words = searchWords(text);
      return words.length === 0 || columns.length === 0 ? null : { words: { words, columns } };
    }
    const match = matchExpression(text, columns);
    if (match === undefined) return null;
    // The words of a row come into the index a moment after it has ended; by its id it is found at once.
    const [sequence] = this.#all({
      sql: `SELECT ${sequenceColumn} FROM ${table} AS t WHERE ${idColumn} = ? AND NOT EXISTS
        (SELECT 1 FROM ${searchTable} WHERE rowid = t.${sequenceColumn} AND ${searchTable} MATCH ?)`,
      params: [text, match],
    });
    return { match, ...(sequence !== undefined && { sequence }) };
  }

  #timeout({ walked }: Plan): ApiError {
    const { attributes = {} } = this.#table.indexes ?? {};
    const culprit =
      walked.length > 0 ? `The filters on ${walked.join(', ')} have` : 'Its order, search or offset has';
    return new ApiError(
      'database_timeout',
      `The query took too long. ${culprit} no index to go by: narrow it to one function and by an equal on one of ${Object.keys(attributes).join(', ')}, or by a range of one of these with the order by the same.`,
    );
  }

  #columnOf(attribute: string): string {
    return attribute === '$sequence' ? this.#table.sequenceColumn : this.#table.attributes[attribute]!.column;
  }

  #all({ sql, params }: Sql): number[] {
    return this.#prepare(sql)
      .pluck()
      .all(...params) as number[];
  }

  #prepare(sql: string): BetterSqlite3.Statement {
    const statement = this.#prepared.get(sql) ?? this.#sqlite.prepare(sql);
    this.#prepared.delete(sql);
    this.#prepared.set(sql, statement);
    if (this.#prepared.size > MAX_PREPARED) this.#prepared.delete(this.#prepared.keys().next().value!);
    return statement;
  }
}

function reverse({ attribute, direction }: SortColumn): SortColumn {
  return { attribute, direction: direction === 'asc' ? 'desc' : 'asc' };
}
