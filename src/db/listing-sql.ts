import type { CompareMethod, Filter, QueryValue } from './query.js';

/** A piece of SQL with its parameters, in the order of their `?`. */
export interface Sql {
  sql: string;
  params: (string | number)[];
}

/** So many values of one `equal` are looked up by index, each by itself. */
export const MAX_INDEXED_VALUES = 8;

export const sql = (text: string, ...params: QueryValue[]): Sql => ({
  sql: text,
  params: params.map(bindable),
});

/** Joins conditions with AND; none at all is true. */
export function all(conditions: readonly Sql[]): Sql {
  return join(conditions, ' AND ', '1');
}

/** Joins conditions with OR; none at all is false. */
export function any(conditions: readonly Sql[]): Sql {
  return join(conditions, ' OR ', '0');
}

function join(conditions: readonly Sql[], word: string, empty: string): Sql {
  if (conditions.length === 0) return sql(empty);
  if (conditions.length === 1) return conditions[0]!;
  return {
    sql: `(${conditions.map((condition) => condition.sql).join(word)})`,
    params: conditions.flatMap((condition) => condition.params),
  };
}

/**
 * The condition of a filter, `columnOf` giving an attribute's column. As in the original, a null matches nothing
 * but `isNull`; `contains` and its like don't tell capital from small letters (here: of ASCII), `equal` does.
 */
export function filterSql(filter: Filter, columnOf: (attribute: string) => string): Sql {
  if (filter.kind === 'compare') return compareSql(filter.method, columnOf(filter.attribute), filter.values);
  const parts = filter.filters.map((part) => filterSql(part, columnOf));
  return filter.kind === 'and' ? all(parts) : any(parts);
}

const OPERATORS = {
  notEqual: '<>',
  lessThan: '<',
  lessThanEqual: '<=',
  greaterThan: '>',
  greaterThanEqual: '>=',
} as const;

function compareSql(method: CompareMethod, column: string, values: readonly QueryValue[]): Sql {
  const [first = '', second = ''] = values;
  switch (method) {
    case 'equal':
      return values.length === 1 ? sql(`${column} = ?`, first) : oneOf(column, values);
    case 'notEqual':
    case 'lessThan':
    case 'lessThanEqual':
    case 'greaterThan':
    case 'greaterThanEqual':
      return sql(`${column} ${OPERATORS[method]} ?`, first);
    case 'between':
      return sql(`(${column} >= ? AND ${column} <= ?)`, first, second);
    case 'notBetween':
      return sql(`(${column} < ? OR ${column} > ?)`, first, second);
    case 'isNull':
      return sql(`${column} IS NULL`);
    case 'isNotNull':
      return sql(`${column} IS NOT NULL`);
    default:
      return patternSql(method, column, values.map(String));
  }
}

/** A long list is one parameter, for the parameters of a statement are limited; a short one can drive an index. */
function oneOf(column: string, values: readonly QueryValue[]): Sql {
  if (values.length <= MAX_INDEXED_VALUES) {
    return sql(`${column} IN (${values.map(() => '?').join(', ')})`, ...values);
  }
  return sql(`${column} IN (SELECT value FROM json_each(?))`, JSON.stringify(values.map(bindable)));
}

type PatternMethod = Extract<CompareMethod, `${string}With` | `contains${string}` | 'notContains'>;

function patternSql(method: PatternMethod, column: string, values: readonly string[]): Sql {
  const like = (before: string, after: string) => (value: string) => before + escapeLike(value) + after;
  switch (method) {
    case 'startsWith':
      return sql(`${column} LIKE ? ESCAPE '\\'`, like('', '%')(values[0]!));
    case 'notStartsWith':
      return sql(`${column} NOT LIKE ? ESCAPE '\\'`, like('', '%')(values[0]!));
    case 'endsWith':
      return sql(`${column} LIKE ? ESCAPE '\\'`, like('%', '')(values[0]!));
    case 'notEndsWith':
      return sql(`${column} NOT LIKE ? ESCAPE '\\'`, like('%', '')(values[0]!));
    case 'contains':
    case 'containsAny':
      return matchesSql(column, 'EXISTS', 'LIKE', values.map(like('%', '%')));
    case 'containsAll':
      return matchesSql(column, 'NOT EXISTS', 'NOT LIKE', values.map(like('%', '%')));
    case 'notContains':
      return matchesSql(column, 'NOT EXISTS', 'LIKE', values.map(like('%', '%')));
  }
}

function matchesSql(column: string, exists: string, operator: string, patterns: readonly string[]): Sql {
  // Most often there is one value, and then there is no list to open for each row.
  const isNegative = (exists === 'NOT EXISTS') !== (operator === 'NOT LIKE');
  if (patterns.length === 1) {
    return sql(`${column} ${isNegative ? 'NOT LIKE' : 'LIKE'} ? ESCAPE '\\'`, patterns[0]!);
  }
  const match = `SELECT 1 FROM json_each(?) WHERE ${column} ${operator} value ESCAPE '\\'`;
  return sql(`(${column} IS NOT NULL AND ${exists} (${match}))`, JSON.stringify(patterns));
}

/** The text as a LIKE pattern that stands for just this text; the escape is a backslash. */
export function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}

function bindable(value: QueryValue): string | number {
  return typeof value === 'boolean' ? Number(value) : value;
}
