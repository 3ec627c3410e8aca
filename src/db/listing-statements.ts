import { type Access, isStartBound, type Narrowing, type Shape, type SortColumn } from './listing-plan.js';
import { all, any, escapeLike, filterSql, type Sql, sql } from './listing-sql.js';
import type { ListingTable } from './listing-tables.js';
import type { Filter, QueryValue } from './query.js';

/** Where counting stops (the contract's `executions.md`, List). */
export const MAX_TOTAL = 5000;

/** The place of the cursor's row: its values of the order's columns, in their order. */
export interface Position {
  values: (string | number)[];
}

export interface Search {
  /** An FTS5 expression; absent for tables without an index of words. */
  match?: string;
  /** A row that is found by its id although its words aren't indexed yet. */
  sequence?: number;
  /** Where no index of words is: the words, each to be found in one of these columns. */
  words?: { words: string[]; columns: readonly string[] };
}

/** Builds the statements of one query. All of them give the sequence, or the number, in their first column. */
export class Statements {
  readonly #table: ListingTable;
  readonly #shape: Shape;
  readonly #search: Search | undefined;
  readonly #isBudgeted: boolean;

  /** @param isBudgeted the statement calls `within_budget` for each row it looks at, see `listing-worker.ts` */
  constructor(table: ListingTable, shape: Shape, search: Search | undefined, isBudgeted: boolean) {
    this.#table = table;
    this.#shape = shape;
    this.#search = search;
    this.#isBudgeted = isBudgeted;
  }

  /**
   * The sequences of a page. With a position, the page starts behind it; `order` is the order to read in, which is
   * the reverse of the query's for a page that ends before its cursor.
   */
  page(
    access: Access,
    order: readonly SortColumn[],
    position: Position | undefined,
    limit: number,
    offset: number,
  ): Sql {
    const arms = this.#arms(access, order, position);
    const isSimple = access.kind === 'ordered' && access.leading !== '$sequence';
    const key = isSimple ? `, ${this.#column(access.leading)}` : '';
    const text = arms.map((arm) => `SELECT ${this.#sequence}${key} FROM ${arm.sql}`).join(' UNION ALL ');
    return {
      sql: `${text} ORDER BY ${this.#orderBy(order, arms.length > 1)} LIMIT ? OFFSET ?`,
      params: [...arms.flatMap((arm) => arm.params), limit, offset],
    };
  }

  /** How many rows match, up to `MAX_TOTAL`. */
  count(narrowing: Narrowing | undefined, isById: boolean): Sql {
    const { functionId, filters } = this.#shape;
    const isEverything = functionId === undefined && filters.length === 0 && !this.#isBudgeted;
    const index = isById ? this.#table.indexes?.id : (narrowing?.index ?? this.#sequenceIndex);
    // Counting everything, any index that covers it is welcome.
    const from = this.#from(isEverything ? undefined : index, this.#conditions(filters));
    return {
      sql: `SELECT count(*) FROM (SELECT 1 FROM ${from.sql} LIMIT ${MAX_TOTAL})`,
      params: from.params,
    };
  }

  /** How many rows match the narrowing alone, up to `MAX_TOTAL`. */
  narrowCount(narrowing: Narrowing): Sql {
    const from = this.#from(narrowing.index, this.#conditions(narrowing.filters));
    return {
      sql: `SELECT count(*) FROM (SELECT 1 FROM ${from.sql} LIMIT ${MAX_TOTAL})`,
      params: from.params,
    };
  }

  /** Each arm is a FROM clause with its conditions; several are merged, each of them being in order by itself. */
  #arms(access: Access, order: readonly SortColumn[], position: Position | undefined): Sql[] {
    const { filters } = this.#shape;
    switch (access.kind) {
      case 'id':
        return [
          this.#from(this.#table.indexes!.id, [
            ...this.#conditions(filters),
            ...this.#behind(order, position),
          ]),
        ];
      case 'sorted': {
        const index = access.narrowing?.index ?? this.#sequenceIndex;
        return [this.#from(index, [...this.#conditions(filters), ...this.#behind(order, position)])];
      }
      case 'merged':
        return [...new Set(access.narrowing.filters[0]!.values)].map((value) => {
          const one: Filter = { ...access.narrowing.filters[0]!, values: [value] };
          return this.#from(access.narrowing.index, [
            ...this.#conditions([one]),
            ...this.#behind(order, position),
          ]);
        });
      case 'ordered':
        if (access.leading !== '$sequence' && position) {
          return this.#tiesThenRest(access.index, order[0]!, position);
        }
        return [this.#from(access.index, [...this.#conditions(filters), ...this.#behind(order, position)])];
    }
  }

  /**
   * The rows behind a position in an index on (function, attribute, sequence): first those with the same value,
   * then the others. As one condition, SQLite would read all rows with the same value from the first, and a
   * million executions have the same status code.
   */
  #tiesThenRest(index: string | null, column: SortColumn, { values }: Position): Sql[] {
    const { filters } = this.#shape;
    const operator = column.direction === 'asc' ? '>' : '<';
    const name = this.#column(column.attribute);
    const [value = '', sequence = 0] = values;
    const isOwn = (filter: Filter) => filter.kind === 'compare' && filter.attribute === column.attribute;
    const isWeaker = (filter: Filter) => isOwn(filter) && isStartBound(filter, column.direction);
    const ties = [sql(`${name} = ?`, value), sql(`${this.#sequence} ${operator} ?`, sequence)];
    return [
      this.#from(index, [...this.#conditions(filters, isOwn), ...ties]),
      this.#from(index, [...this.#conditions(filters, isWeaker), sql(`${name} ${operator} ?`, value)]),
    ];
  }

  /** The condition for being behind the position; a null comes before all other values. */
  #behind(order: readonly SortColumn[], position: Position | undefined): Sql[] {
    if (!position) return [];
    const same: Sql[] = [];
    const steps = order.map(({ attribute, direction }, i) => {
      const column = this.#column(attribute);
      const value = position.values[i]!;
      const isNullable = attribute !== '$sequence' && attribute !== '$id';
      const further =
        direction === 'asc'
          ? sql(`${column} > ?`, value)
          : sql(isNullable ? `(${column} < ? OR ${column} IS NULL)` : `${column} < ?`, value);
      const step = all([...same, further]);
      same.push(sql(`${column} = ?`, value));
      return step;
    });
    return [any(steps)];
  }

  /** @param isHidden filters that the planner must not use to enter the index, as something better can */
  #conditions(filters: readonly Filter[], isHidden: (filter: Filter) => boolean = () => false): Sql[] {
    const { functionId, userId } = this.#shape;
    const { functionColumn, userColumn } = this.#table;
    const conditions: Sql[] = [];
    // First, so that it is asked of each row, also of those that then fail another condition.
    if (this.#isBudgeted) conditions.push(sql(`within_budget(${this.#sequence})`));
    if (functionId !== undefined) conditions.push(sql(`t.${functionColumn} = ?`, functionId));
    if (userId !== undefined) conditions.push(sql(`t.${userColumn} = ?`, userId));
    for (const filter of filters) {
      // A unary plus makes an expression of a column: no index can be entered by it.
      const columnOf = (attribute: string) => (isHidden(filter) ? '+' : '') + this.#column(attribute);
      conditions.push(filterSql(filter, columnOf));
    }
    for (const word of this.#search?.words?.words ?? []) {
      const pattern: QueryValue = `%${escapeLike(word)}%`;
      const columns = this.#search!.words!.columns;
      conditions.push(any(columns.map((column) => sql(`t.${column} LIKE ? ESCAPE '\\'`, pattern))));
    }
    return conditions;
  }

  /** @param index `null` for the table itself, `undefined` to leave it to SQLite */
  #from(index: string | null | undefined, conditions: readonly Sql[]): Sql {
    const where = all(conditions);
    const table = `${this.#table.table} AS t`;
    if (this.#search?.match !== undefined) {
      const { match, sequence } = this.#search;
      const { searchTable, sequenceColumn } = this.#table;
      const words = sql(`SELECT rowid AS seq FROM ${searchTable} WHERE ${searchTable} MATCH ?`, match);
      const found =
        sequence === undefined
          ? words
          : { sql: `${words.sql} UNION ALL SELECT ?`, params: [...words.params, sequence] };
      return {
        // CROSS JOIN keeps the order of the tables: the index of words leads.
        sql: `(${found.sql}) AS s CROSS JOIN ${table} ON t.${sequenceColumn} = s.seq WHERE ${where.sql}`,
        params: [...found.params, ...where.params],
      };
    }
    // Without statistics SQLite can't know which index is best, and with them it would depend on their age.
    const hint = index === undefined ? '' : index === null ? ' NOT INDEXED' : ` INDEXED BY ${index}`;
    return { sql: `${table}${hint} WHERE ${where.sql}`, params: where.params };
  }

  #orderBy(order: readonly SortColumn[], isCompound: boolean): string {
    if (this.#shape.isRandom) return 'random()';
    return order
      .map(({ attribute, direction }) => {
        // In a compound statement columns go by their numbers: the sequence is the first, the other the second.
        const column = isCompound ? (attribute === '$sequence' ? '1' : '2') : this.#column(attribute);
        return `${column} ${direction}`;
      })
      .join(', ');
  }

  /** In order of insertion, with or without a function; `undefined` for a small table. */
  get #sequenceIndex(): string | null | undefined {
    if (!this.#table.indexes) return undefined;
    return this.#shape.functionId === undefined ? null : this.#table.indexes.sequence;
  }

  get #sequence(): string {
    // The index of words gives its rows in the order of their numbers, but only if it is asked for its own.
    return this.#search?.match === undefined ? `t.${this.#table.sequenceColumn}` : 's.seq';
  }

  #column(attribute: string): string {
    return attribute === '$sequence' ? this.#sequence : `t.${this.#table.attributes[attribute]!.column}`;
  }
}
