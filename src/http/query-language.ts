import type { AttributeTable, Cursor, Filter, ListQuery, Order } from '../db/query.js';
import { invalidParam, invalidQuery } from './query-language/errors.js';
import { findAttribute, isFilterMethod, isPlainMethod, toFilter } from './query-language/filters.js';
import { parseJsonForm, type RawQuery } from './query-language/json-form.js';
import { isTextForm, parseTextForm } from './query-language/text-form.js';
import { readInteger } from './query-language/values.js';

const MAX_QUERIES = 100;
const MAX_QUERY_LENGTH = 4096;
const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 5000;
const HUGE = '9,223,372,036,854,775,807';

export interface ParseOptions {
  /** The names `select` may list besides `*`; absent: this list takes no `select`. */
  selectable?: readonly string[];
}

export type ParsedQueries = Omit<ListQuery, 'search' | 'total'> & {
  /** What `select` named, if there was one; `*` among them. */
  select?: string[];
};

/**
 * The query strings of a request, from the parsed query string: `queries[]=a`, `queries[0]=a` and (repeated)
 * `queries=a` all count, indexed ones by their index. A bare `queries=` is no query.
 * @returns `undefined` when there are none; something that isn't an array, for `parseQueries` to refuse, when a
 * key such as `queries[a]` can't be an element of a list.
 */
export function collectQueries(query: Readonly<Record<string, unknown>>): unknown {
  const found: { index: number; values: unknown[] }[] = [];
  for (const [key, value] of Object.entries(query)) {
    if (key !== 'queries' && !key.startsWith('queries[')) continue;
    const match = /^queries(?:\[(\d*)\])?$/.exec(key);
    if (!match) return value;
    const values = Array.isArray(value) ? value : [value];
    found.push({
      index: match[1] ? Number(match[1]) : Number.MAX_SAFE_INTEGER,
      values: key === 'queries' ? values.filter((item) => item !== '') : values,
    });
  }
  if (found.length === 0) return undefined;
  return found.sort((a, b) => a.index - b.index).flatMap((entry) => entry.values);
}

/**
 * Parses and checks the `queries` parameter of a list against its attributes, see the contract's `management.md`,
 * section 4. Each string is in the JSON form or in the older text form. Dates come out as ms since 1970.
 * @throws ApiError general_argument_invalid with the contract's texts; general_query_invalid for a text form that
 * can't be read and for methods the database does not serve
 */
export function parseQueries(
  raw: unknown,
  attributes: AttributeTable,
  options: ParseOptions = {},
): ParsedQueries {
  const page = new Page();
  const filters: Filter[] = [];
  const orders: Order[] = [];
  let select: string[] | undefined;
  for (const query of checkArray(raw).map(parseQuery)) {
    const { method } = query;
    if (isFilterMethod(method)) filters.push(toFilter(query, attributes));
    else if (method.startsWith('order')) orders.push(toOrder(query, attributes));
    else if (method === 'select') select = [...(select ?? []), ...toSelect(query, options.selectable)];
    else page.read(query);
  }
  return { filters, orders, ...page.result(), ...(select && { select }) };
}

function checkArray(raw: unknown): string[] {
  if (raw === undefined || raw === null) return [];
  if (!Array.isArray(raw)) throw invalidParam('Queries must be an array');
  const valid = (item: unknown) =>
    typeof item === 'string' && item.length >= 1 && item.length <= MAX_QUERY_LENGTH;
  if (raw.length > MAX_QUERIES || !raw.every(valid)) {
    throw invalidParam(
      `Value must a valid array no longer than ${MAX_QUERIES} items and Value must be a valid string and at least 1 chars and no longer than ${MAX_QUERY_LENGTH} chars`,
    );
  }
  return raw;
}

function parseQuery(text: string): RawQuery {
  const query = isTextForm(text) ? parseTextForm(text) : parseJsonForm(text);
  if (!isFilterMethod(query.method) && !isPlainMethod(query.method)) {
    throw invalidQuery(`Invalid query method: ${query.method}`);
  }
  return query;
}

function toOrder({ method, attribute }: RawQuery, attributes: AttributeTable): Order {
  if (method === 'orderRandom') return { attribute: '$sequence', direction: 'random' };
  // The CLI sends the attribute among the values, as `$id`, where it means the order of creation.
  const name = attribute === '' ? '$sequence' : attribute;
  findAttribute(name, attributes);
  return { attribute: name, direction: method === 'orderAsc' ? 'asc' : 'desc' };
}

function toSelect({ values }: RawQuery, selectable: readonly string[] | undefined): string[] {
  if (!selectable) throw invalidParam('Invalid query method: select');
  if (values.length === 0) throw invalidQuery('No attributes selected');
  const names = values.map(String);
  if (new Set(names).size !== names.length) throw invalidQuery('Duplicate attributes selected');
  for (const name of names) {
    if (name !== '*' && !selectable.includes(name)) {
      throw invalidQuery(`Attribute not found in schema: ${name}`);
    }
  }
  return names;
}

/** Collects limit, offset and cursor: all are checked, the first of each counts. */
class Page {
  #limit: number | undefined;
  #offset: number | undefined;
  #cursor: Cursor | undefined;

  read({ method, values: [value] }: RawQuery): void {
    if (method === 'limit') {
      const limit = toInteger('limit', value, 1);
      if (limit > MAX_LIMIT) {
        throw invalidQuery('Invalid limit: Value must be a valid range between 1 and 5,000');
      }
      this.#limit ??= limit;
    } else if (method === 'offset') {
      const offset = toInteger('offset', value, 0);
      this.#offset ??= offset;
    } else {
      const cursor: Cursor = {
        id: toCursorId(value),
        direction: method === 'cursorAfter' ? 'after' : 'before',
      };
      this.#cursor ??= cursor;
    }
  }

  result(): Pick<ListQuery, 'limit' | 'offset' | 'cursor'> {
    return {
      limit: this.#limit ?? DEFAULT_LIMIT,
      offset: this.#offset ?? 0,
      ...(this.#cursor && { cursor: this.#cursor }),
    };
  }
}

function toInteger(name: string, value: unknown, min: number): number {
  const number = readInteger(value);
  if (number === undefined) throw invalidQuery(`Invalid ${name}: Value must be a valid number`);
  if (Number.isNaN(number) || number < min) {
    throw invalidQuery(`Invalid ${name}: Value must be a valid range between ${min} and ${HUGE}`);
  }
  return number;
}

function toCursorId(value: unknown): string {
  // What the text says of ids is narrower than what is allowed: ids of functions may have periods and hyphens.
  if (typeof value === 'string' && /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,35}$/.test(value)) return value;
  throw invalidQuery(
    "Invalid cursor: UID must contain at most 36 chars. Valid chars are a-z, A-Z, 0-9, and underscore. Can't start with a leading underscore",
  );
}
