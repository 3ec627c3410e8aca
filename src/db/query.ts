/** A parsed list query, independent of how it came over the wire and of SQL. `http/query-language.ts` makes it, `db/listing.ts` runs it. */

export type QueryValue = string | number | boolean;

export type CompareMethod =
  | 'equal'
  | 'notEqual'
  | 'lessThan'
  | 'lessThanEqual'
  | 'greaterThan'
  | 'greaterThanEqual'
  | 'between'
  | 'notBetween'
  | 'startsWith'
  | 'notStartsWith'
  | 'endsWith'
  | 'notEndsWith'
  | 'contains'
  | 'containsAny'
  | 'containsAll'
  | 'notContains'
  | 'isNull'
  | 'isNotNull';

export type Filter =
  | { kind: 'compare'; method: CompareMethod; attribute: string; values: QueryValue[] }
  | { kind: 'and' | 'or'; filters: Filter[] };

export interface Order {
  /** An attribute of the list, or `$sequence`, the order of insertion. */
  attribute: string;
  direction: 'asc' | 'desc' | 'random';
}

export interface Cursor {
  id: string;
  direction: 'after' | 'before';
}

export interface ListQuery {
  filters: Filter[];
  orders: Order[];
  /** 1 to 5,000. */
  limit: number;
  offset: number;
  cursor?: Cursor;
  /** Words; absent or empty: no search. */
  search?: string;
  /** Whether the matches are counted; if not, `total` is 0. */
  total: boolean;
}

/** What an attribute of a list is: its column, and what its values look like on the wire. `date` columns hold ms. */
export interface Attribute {
  column: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
}

export type AttributeTable = Readonly<Record<string, Attribute>>;
