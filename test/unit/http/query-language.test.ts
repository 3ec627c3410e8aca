import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { executionAttributes, functionAttributes } from '../../../src/db/listing-tables.js';
import { ApiError } from '../../../src/errors.js';
import { collectQueries, parseQueries } from '../../../src/http/query-language.js';

const json = (method: string, attribute?: unknown, values?: unknown) =>
  JSON.stringify({ method, attribute, values });
const parse = (...queries: string[]) => parseQueries(queries, executionAttributes);
const filterOf = (query: string) => parse(query).filters[0];

function errorOf(run: () => unknown): { type: string; message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof ApiError) return { type: error.type, message: error.message };
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('collecting', () => {
  test.each<[Record<string, unknown>, unknown]>([
    [{}, undefined],
    [{ search: 'x', queriesX: 'y' }, undefined],
    [{ queries: '' }, []],
    [{ queries: 'a' }, ['a']],
    [{ queries: ['a', 'b'] }, ['a', 'b']],
    [{ 'queries[]': 'a' }, ['a']],
    [{ 'queries[]': ['a', 'b'] }, ['a', 'b']],
    [{ 'queries[10]': 'c', 'queries[2]': 'b', 'queries[0]': 'a' }, ['a', 'b', 'c']],
    [{ 'queries[0]': ['a', 'b'], 'queries[]': 'c' }, ['a', 'b', 'c']],
  ])('%j', (query, expected) => {
    expect(collectQueries(query)).toEqual(expected);
  });

  test('a key that is no element of a list is refused', () => {
    expect(errorOf(() => parseQueries(collectQueries({ 'queries[a]': 'x' }), executionAttributes))).toEqual({
      type: 'general_argument_invalid',
      message: 'Invalid `queries` param: Queries must be an array',
    });
  });
});

describe('the JSON form', () => {
  test('nothing asked: the first 25', () => {
    const expected = { filters: [], orders: [], limit: 25, offset: 0 };
    expect(parse()).toEqual(expected);
    expect(parseQueries(undefined, executionAttributes)).toEqual(expected);
  });

  test('page and order', () => {
    expect(
      parse(
        json('limit', undefined, [2]),
        json('limit', undefined, [3]),
        json('offset', undefined, ['4']),
        json('cursorBefore', undefined, ['abc']),
        json('cursorAfter', undefined, ['def']),
        json('orderDesc', '$createdAt'),
        json('orderAsc', 'status', []),
        json('orderDesc', '', []),
        json('orderDesc', undefined, ['$id']),
        json('orderRandom'),
      ),
    ).toEqual({
      filters: [],
      orders: [
        { attribute: '$createdAt', direction: 'desc' },
        { attribute: 'status', direction: 'asc' },
        { attribute: '$sequence', direction: 'desc' },
        { attribute: '$sequence', direction: 'desc' },
        { attribute: '$sequence', direction: 'random' },
      ],
      limit: 2,
      offset: 4,
      cursor: { id: 'abc', direction: 'before' },
    });
  });

  test.each<[string, string, unknown[]]>([
    ['equal', 'status', ['completed', 'failed']],
    ['equal', 'responseStatusCode', [200]],
    ['equal', '$sequence', [3]],
    ['notEqual', 'trigger', ['http']],
    ['lessThan', 'duration', [0.5]],
    ['lessThanEqual', 'duration', [1]],
    ['greaterThan', 'duration', [0]],
    ['greaterThanEqual', 'duration', [-1]],
    ['between', 'duration', [1, 2]],
    ['notBetween', 'duration', [1, 2]],
    ['startsWith', 'requestPath', ['/a']],
    ['notStartsWith', 'requestPath', ['/a']],
    ['endsWith', 'requestPath', ['a']],
    ['notEndsWith', 'requestPath', ['a']],
    ['contains', 'requestPath', ['a', 'b']],
    ['containsAny', 'requestPath', ['a']],
    ['containsAll', 'requestPath', ['a']],
    ['notContains', 'requestPath', ['a']],
    ['isNull', 'scheduledAt', []],
    ['isNotNull', 'scheduledAt', []],
  ])('%s on %s', (method, attribute, values) => {
    expect(filterOf(json(method, attribute, values))).toEqual({ kind: 'compare', method, attribute, values });
  });

  test('values may be left out, or null, where none are needed', () => {
    const expected = { kind: 'compare', method: 'isNull', attribute: 'scheduledAt', values: [] };
    expect(filterOf(json('isNull', 'scheduledAt'))).toEqual(expected);
    expect(filterOf(json('isNull', 'scheduledAt', null))).toEqual(expected);
  });

  test('a number may be written with a point', () => {
    expect(filterOf('{"method":"equal","attribute":"responseStatusCode","values":[200.0]}')).toMatchObject({
      values: [200],
    });
  });

  test('booleans are only JSON booleans', () => {
    const enabled = (value: unknown) => () =>
      parseQueries([json('equal', 'enabled', [value])], functionAttributes);
    expect(enabled(true)().filters).toEqual([
      { kind: 'compare', method: 'equal', attribute: 'enabled', values: [true] },
    ]);
    for (const value of ['true', 1, null]) {
      expect(errorOf(enabled(value)).message).toContain('Query value is invalid for attribute "enabled"');
    }
  });

  test('and, or, one in the other', () => {
    const equal = { method: 'equal', attribute: 'status', values: ['failed'] };
    const later = { method: 'greaterThan', attribute: 'duration', values: [1] };
    const status = { kind: 'compare', method: 'equal', attribute: 'status', values: ['failed'] };
    const duration = { kind: 'compare', method: 'greaterThan', attribute: 'duration', values: [1] };
    expect(filterOf(json('or', undefined, [equal, { method: 'and', values: [equal, later] }]))).toEqual({
      kind: 'or',
      filters: [status, { kind: 'and', filters: [status, duration] }],
    });
  });

  test('select, where a list takes it', () => {
    const options = { selectable: ['$id', 'status'] };
    const select = (...values: unknown[]) =>
      parseQueries([json('select', undefined, values)], executionAttributes, options).select;
    expect(select('$id', '*')).toEqual(['$id', '*']);
    const texts = [[], ['$id', '$id'], ['x']].map((values) => errorOf(() => select(...values)).message);
    expect(texts).toEqual([
      'Invalid `queries` param: Invalid query: No attributes selected',
      'Invalid `queries` param: Invalid query: Duplicate attributes selected',
      'Invalid `queries` param: Invalid query: Attribute not found in schema: x',
    ]);
  });
});

describe('dates', () => {
  const noon = Date.UTC(2024, 0, 31, 12);
  test.each<[string, number]>([
    ['2024-01-31T12:00:00.000+00:00', noon],
    ['2024-01-31T12:00:00Z', noon],
    ['2024-01-31T12:00:00', noon],
    ['2024-01-31 12:00:00', noon],
    ['2024-01-31T14:00+02:00', noon],
    ['2024-01-31T14:00+0200', noon],
    ['2024-01-31T12:00:00.123456Z', noon + 123],
    ['2024-01-31', Date.UTC(2024, 0, 31)],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
  ])('%s', (text, ms) => {
    expect(filterOf(json('lessThan', '$createdAt', [text]))).toMatchObject({ values: [ms] });
  });

  test.each([
    '',
    'today',
    '2023-02-29',
    '2024-02-30T00:00:00Z',
    '2024-13-01',
    '2024-01-31T25:00:00Z',
    '1',
    5,
    null,
    true,
  ])('%s is none', (value) => {
    expect(errorOf(() => parse(json('lessThan', '$createdAt', [value])))).toEqual({
      type: 'general_argument_invalid',
      message: 'Invalid `queries` param: Invalid query: Query value is invalid for attribute "$createdAt"',
    });
  });
});

describe('the text form', () => {
  test.each<[string, string]>([
    ['equal("status", ["completed"])', json('equal', 'status', ['completed'])],
    ['equal("status", "completed")', json('equal', 'status', ['completed'])],
    ["equal('status', ['a', 'b'])", json('equal', 'status', ['a', 'b'])],
    [' equal ( "status" , [ "a" , "b" ] ) ', json('equal', 'status', ['a', 'b'])],
    ['greaterThan("duration", [0])', json('greaterThan', 'duration', [0])],
    ['lessThan("duration", -1.5e1)', json('lessThan', 'duration', [-15])],
    ['between("duration", 1, 2)', json('between', 'duration', [1, 2])],
    ['between("duration", [1, 2])', json('between', 'duration', [1, 2])],
    ['isNull("scheduledAt")', json('isNull', 'scheduledAt')],
    [
      'contains("requestPath", ["a, b", "(c)", "[d]"])',
      json('contains', 'requestPath', ['a, b', '(c)', '[d]']),
    ],
    ['equal("requestPath", ["say \\"hi\\""])', json('equal', 'requestPath', ['say "hi"'])],
    ["equal('requestPath', 'it\\'s')", json('equal', 'requestPath', ["it's"])],
    ['equal("requestPath", ["a\\b"])', json('equal', 'requestPath', ['a\\b'])],
    ['equal("requestPath", ["ends with \\"])', json('equal', 'requestPath', ['ends with \\'])],
    ['limit(25)', json('limit', undefined, [25])],
    ['offset(0)', json('offset', undefined, [0])],
    ['cursorAfter("abc")', json('cursorAfter', undefined, ['abc'])],
    ['cursorBefore("abc")', json('cursorBefore', undefined, ['abc'])],
    ['orderDesc("$createdAt")', json('orderDesc', '$createdAt')],
    ['orderAsc("")', json('orderAsc', '')],
    ['orderRandom()', json('orderRandom')],
  ])('%s', (text, same) => {
    expect(parse(text)).toEqual(parse(same));
  });

  test('words are the values they name', () => {
    const parsed = parseQueries(['equal("enabled", [true])', 'equal("enabled", false)'], functionAttributes);
    expect(parsed.filters.map((filter) => 'values' in filter && filter.values)).toEqual([[true], [false]]);
    expect(errorOf(() => parse('equal("status", null)')).message).toContain('Query value is invalid');
  });

  test.each([
    'equal(',
    'equal("status"',
    'equal("status", [)',
    'equal("status", ["a")',
    'equal("status" "a")',
    'equal(status, "a")',
    'equal("status", "a") limit(1)',
    'equal("status", [["a"]])',
    'limit(25',
    'limit(,)',
    'equal("a"b", ["c"])',
    'equal(5, 6)',
  ])('%s can not be read', (text) => {
    const { type, message } = errorOf(() => parse(text));
    expect(type).toBe('general_query_invalid');
    expect(message).toMatch(/^Invalid query: /);
  });

  test('what can not be understood is refused like in the other form', () => {
    expect(errorOf(() => parse('nothing("a")')).message).toBe(
      'Invalid `queries` param: Invalid query: Invalid query method: nothing',
    );
    expect(errorOf(() => parse('select(["a"])')).message).toBe(
      'Invalid `queries` param: Invalid query method: select',
    );
  });
});

const ONE = { method: 'equal', attribute: 'status', values: ['a'] };
const LONG_LIST =
  'Value must a valid array no longer than 100 items and Value must be a valid string and at least 1 chars and no longer than 4096 chars';
const UID =
  "UID must contain at most 36 chars. Valid chars are a-z, A-Z, 0-9, and underscore. Can't start with a leading underscore";

describe('refused with the texts of the contract', () => {
  test.each<[unknown, string]>([
    ['x', 'Queries must be an array'],
    [{}, 'Queries must be an array'],
    [Array(101).fill(json('limit', undefined, [1])), LONG_LIST],
    [[`{"method":"equal","attribute":"status","values":["${'x'.repeat(4096)}"]}`], LONG_LIST],
    [[''], LONG_LIST],
    [[5], LONG_LIST],
    [[json('select', undefined, ['$id'])], 'Invalid query method: select'],
  ])('the parameter: %j', (raw, text) => {
    expect(errorOf(() => parseQueries(raw, executionAttributes))).toEqual({
      type: 'general_argument_invalid',
      message: `Invalid \`queries\` param: ${text}`,
    });
  });

  test.each<[string, string]>([
    ['{', 'Invalid query: Syntax error'],
    ['nonsense', 'Invalid query: Syntax error'],
    ['5', 'Invalid query. Must be an array, got integer'],
    ['1.5', 'Invalid query. Must be an array, got double'],
    ['"x"', 'Invalid query. Must be an array, got string'],
    ['true', 'Invalid query. Must be an array, got boolean'],
    ['null', 'Invalid query. Must be an array, got NULL'],
    ['{}', 'Invalid query method: '],
    [json('constructor'), 'Invalid query method: constructor'],
    [json('orderSideways'), 'Invalid query method: orderSideways'],
    ['{"method":5}', 'Invalid query method. Must be a string, got integer'],
    [json('equal', 5, ['a']), 'Invalid query attribute. Must be a string, got integer'],
    [json('equal', ['a'], ['a']), 'Invalid query attribute. Must be a string, got array'],
    [json('equal', 'status', 'a'), 'Invalid query values. Must be an array, got string'],
    [json('equal', 'nope', ['a']), 'Attribute not found in schema: nope'],
    [json('equal', 'toString', ['a']), 'Attribute not found in schema: toString'],
    [json('equal', undefined, ['a']), 'Attribute not found in schema: '],
    [json('orderAsc', 'logs'), 'Attribute not found in schema: logs'],
    [json('equal', 'status', [5]), 'Query value is invalid for attribute "status"'],
    [json('equal', 'status', [null]), 'Query value is invalid for attribute "status"'],
    [json('equal', 'status', [['a']]), 'Query value is invalid for attribute "status"'],
    [
      json('equal', 'responseStatusCode', ['200']),
      'Query value is invalid for attribute "responseStatusCode"',
    ],
    [
      json('equal', 'responseStatusCode', [200.5]),
      'Query value is invalid for attribute "responseStatusCode"',
    ],
    [json('equal', 'duration', ['1']), 'Query value is invalid for attribute "duration"'],
    [json('startsWith', 'duration', [1]), 'Query value is invalid for attribute "duration"'],
    [json('equal', 'status', []), 'Equal queries require at least one value.'],
    [json('equal', 'status', [[]]), 'Equal queries require at least one value.'],
    [json('equal', 'status'), 'Equal queries require at least one value.'],
    [json('containsAll', 'requestPath', []), 'ContainsAll queries require at least one value.'],
    [json('notEqual', 'status', ['a', 'b']), 'NotEqual queries require exactly one value.'],
    [json('greaterThan', 'duration', []), 'GreaterThan queries require exactly one value.'],
    [json('search', 'status', []), 'Search queries require exactly one value.'],
    [json('between', 'duration', [1]), 'Between queries require exactly two values.'],
    [json('notBetween', 'duration', [1, 2, 3]), 'NotBetween queries require exactly two values.'],
    [
      json('equal', 'responseStatusCode', Array(501).fill(1)),
      'Query on attribute has greater than 500 values: responseStatusCode',
    ],
    [
      json('contains', 'duration', [1]),
      'Cannot query contains on attribute "duration" because it is not an array, string, or object.',
    ],
    [
      json('containsAny', 'duration', [1]),
      'Cannot query contains on attribute "duration" because it is not an array, string, or object.',
    ],
    [
      json('notContains', 'duration', [1]),
      'Cannot query notContains on attribute "duration" because it is not an array, string, or object.',
    ],
    [
      json('or', undefined, [ONE, { method: 'limit', values: [1] }]),
      'Or queries can only contain filter queries',
    ],
    [
      json('and', undefined, [ONE, { method: 'orderAsc', attribute: 'status' }]),
      'And queries can only contain filter queries',
    ],
    [json('or', undefined, [ONE]), 'Or queries require at least two queries'],
    [json('and'), 'And queries require at least two queries'],
    [json('or', undefined, [ONE, 'x']), 'Invalid query. Must be an array, got string'],
    [json('or', undefined, [ONE, { method: 'x' }]), 'Invalid query method: x'],
    [json('or', undefined, [ONE, { ...ONE, attribute: 'x' }]), 'Attribute not found in schema: x'],
    [json('limit'), 'Invalid limit: Value must be a valid number'],
    [json('limit', undefined, ['many']), 'Invalid limit: Value must be a valid number'],
    [json('limit', undefined, [true]), 'Invalid limit: Value must be a valid number'],
    [
      json('limit', undefined, [0]),
      'Invalid limit: Value must be a valid range between 1 and 9,223,372,036,854,775,807',
    ],
    [
      json('limit', undefined, [1.5]),
      'Invalid limit: Value must be a valid range between 1 and 9,223,372,036,854,775,807',
    ],
    [json('limit', undefined, [5001]), 'Invalid limit: Value must be a valid range between 1 and 5,000'],
    [
      json('offset', undefined, [-1]),
      'Invalid offset: Value must be a valid range between 0 and 9,223,372,036,854,775,807',
    ],
    [
      json('offset', undefined, [1e300]),
      'Invalid offset: Value must be a valid range between 0 and 9,223,372,036,854,775,807',
    ],
    [json('offset', undefined, [null]), 'Invalid offset: Value must be a valid number'],
    [json('cursorAfter', undefined, ['a'.repeat(37)]), `Invalid cursor: ${UID}`],
    [json('cursorAfter', undefined, ['_a']), `Invalid cursor: ${UID}`],
    [json('cursorBefore', undefined, [5]), `Invalid cursor: ${UID}`],
    [json('cursorBefore'), `Invalid cursor: ${UID}`],
  ])('a query: %s', (query, text) => {
    expect(errorOf(() => parse(query))).toEqual({
      type: 'general_argument_invalid',
      message: `Invalid \`queries\` param: Invalid query: ${text}`,
    });
  });

  test.each(['search', 'notSearch'])('%s needs an index that is not there', (method) => {
    expect(errorOf(() => parseQueries([json(method, 'name', ['x'])], functionAttributes))).toEqual({
      type: 'general_query_invalid',
      message: 'Searching by attribute "name" requires a fulltext index.',
    });
  });

  test.each(['regex', 'elemMatch', 'exists', 'crosses', 'distanceEqual', 'vectorDot'])(
    '%s is not served',
    (method) => {
      expect(errorOf(() => parse(json(method, 'status', ['x'])))).toEqual({
        type: 'general_query_invalid',
        message: `Query method "${method}" is not supported by this server.`,
      });
    },
  );

  test('the limit of 5,000 itself, 100 queries and 500 values are allowed', () => {
    expect(parse(json('limit', undefined, [5000])).limit).toBe(5000);
    expect(parse(...Array<string>(100).fill(json('limit', undefined, [1]))).limit).toBe(1);
    expect(filterOf(json('equal', 'responseStatusCode', Array(500).fill(1)))).toMatchObject({
      values: { length: 500 },
    });
  });

  test('nesting is bounded', () => {
    const leaf = { method: 'isNull', attribute: 'status' };
    const nested = (depth: number): object =>
      depth === 0 ? leaf : { method: 'or', values: [leaf, nested(depth - 1)] };
    expect(filterOf(JSON.stringify(nested(50)))).toMatchObject({ kind: 'or' });
    expect(errorOf(() => parse(JSON.stringify(nested(51))))).toEqual({
      type: 'general_argument_invalid',
      message: "Invalid `queries` param: Invalid query: Queries can't be nested deeper than 50 levels",
    });
  });
});

test('whatever comes is parsed or refused as an ApiError', () => {
  const aQuery = fc.record(
    {
      method: fc.oneof(
        fc.constantFrom('equal', 'or', 'limit', 'orderAsc', 'cursorAfter', 'between'),
        fc.string(),
      ),
      attribute: fc.oneof(fc.constantFrom('status', '$createdAt', '__proto__'), fc.jsonValue()),
      values: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  const anything = fc.oneof(
    fc.string(),
    aQuery.map((query) => JSON.stringify(query)),
    fc.tuple(fc.constantFrom('equal(', 'limit(', 'x('), fc.string()).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 3 }), (queries) => {
      try {
        const parsed = parse(...queries);
        expect(parsed.limit).toBeGreaterThanOrEqual(1);
        expect(parsed.limit).toBeLessThanOrEqual(5000);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});
