/**
 * Which way a list takes through its table, decided by the shape of the query alone: what one index serves whole
 * is `indexed` and answered at once, everything else walks under a time budget.
 */
import { MAX_INDEXED_VALUES } from './listing-sql.js';
import type { ListingTable } from './listing-tables.js';
import type { Filter, ListQuery } from './query.js';

/** Rows skipped by index cost too: beyond so many, the page is a walk. */
const MAX_INDEXED_DEPTH = 10_000;

type Compare = Extract<Filter, { kind: 'compare' }>;

export interface SortColumn {
  /** `$sequence` is the order of insertion. */
  attribute: string;
  direction: 'asc' | 'desc';
}

/** A query taken apart. */
export interface Shape {
  functionId: string | undefined;
  /** Only rows this user may read. */
  userId: string | undefined;
  isSearch: boolean;
  /** All of them hold; no `and` among them, and no `between`. */
  filters: Filter[];
  /** What distinguishes rows, ending with `$sequence`. */
  order: SortColumn[];
  isRandom: boolean;
  depth: number;
}

/** The filters that one index of an attribute serves. */
export interface Narrowing {
  attribute: string;
  index: string;
  filters: Compare[];
  /** How many values the attribute is compared with; 0 for a range. */
  equals: number;
}

export type Access =
  /** The rows are found by their ids and sorted. */
  | { kind: 'id' }
  /** An index (or the table itself, `null`) gives the rows in order; `leading` is what it is ordered by. */
  | { kind: 'ordered'; index: string | null; leading: string; narrowing?: Narrowing }
  /** The rows of each value come in order from the index and are merged. */
  | { kind: 'merged'; narrowing: Narrowing }
  /** The rows are found as well as may be, and sorted. */
  | { kind: 'sorted'; narrowing?: Narrowing };

export interface Plan {
  page: Access;
  isPageIndexed: boolean;
  /** To be preferred to `page` when few rows match its narrowing; that must be counted first. */
  narrowPage?: Access & { kind: 'sorted'; narrowing: Narrowing };
  /** `undefined`: no index narrows the count. */
  countNarrowing?: Narrowing;
  isCountById: boolean;
  isCountIndexed: boolean;
  /** The attributes no index could help with. */
  walked: string[];
}

const LOWER = new Set(['greaterThan', 'greaterThanEqual']);
const UPPER = new Set(['lessThan', 'lessThanEqual']);

/** Whether a filter bounds its attribute on the side that a scan in this direction starts from. */
export function isStartBound(filter: Filter, direction: 'asc' | 'desc'): boolean {
  return filter.kind === 'compare' && (direction === 'asc' ? LOWER : UPPER).has(filter.method);
}

/** Takes a query apart; `functionId` and `userId` are its scope. */
export function shapeOf(
  table: ListingTable,
  scope: { functionId?: string | undefined; userId?: string | undefined },
  query: ListQuery,
  isSearch: boolean,
): Shape {
  const filters = query.filters.flatMap(flatten);
  let { functionId } = scope;
  if (functionId === undefined && table.functionAttribute !== undefined) {
    const at = filters.findIndex((filter) => isEqual(filter) && filter.attribute === table.functionAttribute);
    if (at >= 0) functionId = String((filters.splice(at, 1)[0] as Compare).values[0]);
  }
  return {
    functionId,
    userId: scope.userId,
    isSearch,
    filters,
    order: sortColumns(query, filters),
    isRandom: query.orders.some((order) => order.direction === 'random'),
    depth: query.offset + query.limit,
  };
}

function flatten(filter: Filter): Filter[] {
  if (filter.kind === 'and') return filter.filters.flatMap(flatten);
  if (filter.kind !== 'compare' || filter.method !== 'between') return [filter];
  const { kind, attribute, values } = filter;
  return [
    { kind, attribute, method: 'greaterThanEqual', values: [values[0]!] },
    { kind, attribute, method: 'lessThanEqual', values: [values[1]!] },
  ];
}

function isEqual(filter: Filter): filter is Compare {
  return filter.kind === 'compare' && filter.method === 'equal' && filter.values.length === 1;
}

function sortColumns(query: ListQuery, filters: readonly Filter[]): SortColumn[] {
  const constant = new Set(filters.filter(isEqual).map((filter) => filter.attribute));
  const columns: SortColumn[] = [];
  // Ties go in the leading direction: so one index, read forwards or backwards, serves the whole order.
  const tie = query.orders[0]?.direction === 'desc' ? 'desc' : 'asc';
  for (const { attribute, direction } of query.orders) {
    if (direction === 'random' || constant.has(attribute)) continue;
    if (columns.some((column) => column.attribute === attribute)) continue;
    columns.push({ attribute, direction });
    // Nothing is left to distinguish after what is unique.
    if (attribute === '$sequence') return columns;
    if (attribute === '$id') break;
  }
  return [...columns, { attribute: '$sequence', direction: tie }];
}

/** Decides how page and count are read. */
export function planOf(table: ListingTable, shape: Shape): Plan {
  if (!table.indexes) {
    return {
      page: { kind: 'sorted' },
      isPageIndexed: true,
      isCountById: false,
      isCountIndexed: true,
      walked: [],
    };
  }
  const isById = shape.filters.some(
    (filter) => filter.kind === 'compare' && filter.method === 'equal' && filter.attribute === '$id',
  );
  const narrowing = shape.functionId === undefined ? undefined : narrowingOf(table, shape.filters);
  const page = isById && !shape.isRandom ? { kind: 'id' as const } : accessOf(table, shape, narrowing);
  const isPlain = shape.userId === undefined && !shape.isSearch;
  const isPageServed =
    page.kind === 'id' || (page.kind !== 'sorted' && leftOver(shape, page.narrowing) === 0);
  const isNarrowable = page.kind === 'ordered' && narrowing !== undefined && page.narrowing !== narrowing;
  return {
    page,
    isPageIndexed: isPlain && isPageServed && shape.depth <= MAX_INDEXED_DEPTH,
    ...(isNarrowable && isPlain && { narrowPage: { kind: 'sorted', narrowing } }),
    ...(narrowing && { countNarrowing: narrowing }),
    isCountById: isById,
    isCountIndexed: isPlain && (isById || leftOver(shape, narrowing) === 0),
    walked: walkedAttributes(shape, narrowing),
  };
}

function leftOver(shape: Shape, narrowing: Narrowing | undefined): number {
  return shape.filters.length - (narrowing?.filters.length ?? 0);
}

/** The best single index for the filters: one value, else a few values, else a range. */
function narrowingOf(table: ListingTable, filters: readonly Filter[]): Narrowing | undefined {
  const compares = filters.filter((filter): filter is Compare => filter.kind === 'compare');
  const equal = compares
    .filter(
      (filter) => filter.method === 'equal' && table.indexes!.attributes[filter.attribute] !== undefined,
    )
    .filter((filter) => filter.values.length <= MAX_INDEXED_VALUES)
    .sort((a, b) => a.values.length - b.values.length)[0];
  if (equal) {
    const index = table.indexes!.attributes[equal.attribute]!;
    return { attribute: equal.attribute, index, filters: [equal], equals: equal.values.length };
  }
  for (const [attribute, index] of Object.entries(table.indexes!.attributes)) {
    const own = compares.filter((filter) => filter.attribute === attribute);
    const bounds = [LOWER, UPPER].flatMap((side) => {
      const found = own.filter((filter) => side.has(filter.method));
      // Of two bounds on one side the index would take either: the other one is left over, for a walk.
      return found.slice(0, 1);
    });
    if (bounds.length > 0) return { attribute, index, filters: bounds, equals: 0 };
  }
  return undefined;
}

function accessOf(table: ListingTable, shape: Shape, narrowing: Narrowing | undefined): Access {
  const leading = shape.order[0]!.attribute;
  const sorted: Access = { kind: 'sorted', ...(narrowing && { narrowing }) };
  if (shape.isRandom || shape.isSearch) return sorted;
  if (leading === '$sequence') {
    if (shape.functionId === undefined) return { kind: 'ordered', index: null, leading };
    if (narrowing?.equals === 1) return { kind: 'ordered', index: narrowing.index, leading, narrowing };
    if (narrowing && narrowing.equals > 1 && leftOver(shape, narrowing) === 0)
      return { kind: 'merged', narrowing };
    return { kind: 'ordered', index: table.indexes!.sequence, leading };
  }
  const index = table.indexes!.attributes[leading];
  const isSimple = shape.order.length === 2 && shape.order[0]!.direction === shape.order[1]!.direction;
  if (index === undefined || !isSimple || shape.functionId === undefined) return sorted;
  const own = narrowing?.attribute === leading && narrowing.equals === 0 ? { narrowing } : {};
  return { kind: 'ordered', index, leading, ...own };
}

function walkedAttributes(shape: Shape, narrowing: Narrowing | undefined): string[] {
  const served = new Set<Filter>(narrowing?.filters);
  const names = (filter: Filter): string[] =>
    filter.kind === 'compare' ? [filter.attribute] : filter.filters.flatMap(names);
  return [...new Set(shape.filters.filter((filter) => !served.has(filter)).flatMap(names))];
}
