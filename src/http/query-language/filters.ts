import type { Attribute, AttributeTable, CompareMethod, Filter, QueryValue } from '../../db/query.js';
import { invalidQuery, unsupported } from './errors.js';
import { type RawQuery, readQuery } from './json-form.js';
import { convertValue } from './values.js';

const MAX_VALUES = 500;
/** A query has 4,096 characters, so it can't nest much deeper than this anyway. */
const MAX_DEPTH = 50;

type Arity = 'some' | 'one' | 'two' | 'none';

const COMPARE: Readonly<Record<CompareMethod, Arity>> = {
  equal: 'some',
  contains: 'some',
  containsAny: 'some',
  containsAll: 'some',
  notContains: 'some',
  notEqual: 'one',
  lessThan: 'one',
  lessThanEqual: 'one',
  greaterThan: 'one',
  greaterThanEqual: 'one',
  startsWith: 'one',
  notStartsWith: 'one',
  endsWith: 'one',
  notEndsWith: 'one',
  between: 'two',
  notBetween: 'two',
  isNull: 'none',
  isNotNull: 'none',
};

const CONTAINS = new Set(['contains', 'containsAny', 'containsAll', 'notContains']);
const AFFIXES = new Set(['startsWith', 'notStartsWith', 'endsWith', 'notEndsWith']);

/** Filters of the language that need what this database has not: a full-text index per attribute, lists, places, vectors. */
const UNSERVED = new Set([
  ...['search', 'notSearch', 'regex', 'elemMatch', 'exists', 'notExists'],
  ...[
    'crosses',
    'notCrosses',
    'intersects',
    'notIntersects',
    'overlaps',
    'notOverlaps',
    'touches',
    'notTouches',
  ],
  ...['distanceEqual', 'distanceNotEqual', 'distanceGreaterThan', 'distanceLessThan'],
  ...['vectorDot', 'vectorCosine', 'vectorEuclidean'],
]);

const has = (object: object, key: string): boolean => Object.hasOwn(object, key);

/** Whether a method filters, be it served here or not. */
export function isFilterMethod(method: string): boolean {
  return has(COMPARE, method) || UNSERVED.has(method) || method === 'and' || method === 'or';
}

/**
 * Checks a query that filters and gives it the types of its attribute.
 * @throws ApiError general_argument_invalid, or general_query_invalid where the database has no such method
 */
export function toFilter(query: RawQuery, attributes: AttributeTable, depth = 0): Filter {
  const { method } = query;
  if (method === 'and' || method === 'or') return toLogical(method, query.values, attributes, depth);
  checkCount(query);
  const attribute = findAttribute(query.attribute, attributes);
  if (UNSERVED.has(method)) throw unserved(query);
  return {
    kind: 'compare',
    method: method as CompareMethod,
    attribute: query.attribute,
    values: convertValues(query, attribute),
  };
}

/**
 * The attribute of that name; `$sequence`, the order of insertion, always exists.
 * @throws ApiError general_argument_invalid
 */
export function findAttribute(name: string, attributes: AttributeTable): Pick<Attribute, 'type'> {
  if (name === '$sequence') return { type: 'integer' };
  if (!has(attributes, name)) throw invalidQuery(`Attribute not found in schema: ${name}`);
  return attributes[name]!;
}

function toLogical(kind: 'and' | 'or', values: unknown[], attributes: AttributeTable, depth: number): Filter {
  if (depth >= MAX_DEPTH) throw invalidQuery(`Queries can't be nested deeper than ${MAX_DEPTH} levels`);
  const name = upperFirst(kind);
  const queries = values.map(readQuery);
  for (const query of queries) {
    if (isFilterMethod(query.method)) continue;
    if (isPlainMethod(query.method)) throw invalidQuery(`${name} queries can only contain filter queries`);
    throw invalidQuery(`Invalid query method: ${query.method}`);
  }
  if (queries.length < 2) throw invalidQuery(`${name} queries require at least two queries`);
  return { kind, filters: queries.map((query) => toFilter(query, attributes, depth + 1)) };
}

const PLAIN = [
  'orderAsc',
  'orderDesc',
  'orderRandom',
  'limit',
  'offset',
  'cursorAfter',
  'cursorBefore',
  'select',
];

/** Whether a method orders, pages or selects. */
export function isPlainMethod(method: string): boolean {
  return PLAIN.includes(method);
}

function checkCount({ method, values }: RawQuery): void {
  const arity: Arity = has(COMPARE, method) ? COMPARE[method as CompareMethod] : 'one';
  const isServed =
    has(COMPARE, method) || method === 'search' || method === 'notSearch' || method === 'regex';
  if (!isServed) return;
  const name = upperFirst(method);
  if (arity === 'some' && isEmpty(values)) throw invalidQuery(`${name} queries require at least one value.`);
  if (arity === 'one' && values.length !== 1)
    throw invalidQuery(`${name} queries require exactly one value.`);
  if (arity === 'two' && values.length !== 2)
    throw invalidQuery(`${name} queries require exactly two values.`);
}

function isEmpty(values: unknown[]): boolean {
  return values.length === 0 || (Array.isArray(values[0]) && values[0].length === 0);
}

function unserved({ method, attribute }: RawQuery) {
  return method === 'search' || method === 'notSearch'
    ? unsupported(`Searching by attribute "${attribute}" requires a fulltext index.`)
    : unsupported(`Query method "${method}" is not supported by this server.`);
}

function convertValues(query: RawQuery, { type }: Pick<Attribute, 'type'>): QueryValue[] {
  const { method, attribute } = query;
  if (COMPARE[method as CompareMethod] === 'none') return [];
  if (query.values.length > MAX_VALUES) {
    throw invalidQuery(`Query on attribute has greater than ${MAX_VALUES} values: ${attribute}`);
  }
  const invalid = () => invalidQuery(`Query value is invalid for attribute "${attribute}"`);
  const values = query.values.map((value) => {
    const converted = convertValue(value, type);
    if (converted === undefined) throw invalid();
    return converted;
  });
  if (CONTAINS.has(method) && type !== 'string') {
    const shown = method === 'notContains' ? 'notContains' : 'contains';
    throw invalidQuery(
      `Cannot query ${shown} on attribute "${attribute}" because it is not an array, string, or object.`,
    );
  }
  if (AFFIXES.has(method) && type !== 'string') throw invalid();
  return values;
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
