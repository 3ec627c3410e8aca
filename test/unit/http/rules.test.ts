import { describe, expect, it } from 'vitest';
import { checkHeaders } from '../../../src/http/header-rules.js';
import { findJsonError, parseJsonBody } from '../../../src/http/json-body.js';
import { defaultMethod } from '../../../src/http/response-format.js';
import { directCallPath, rewriteUrl } from '../../../src/http/rewrite-url.js';
import { checkScheduledAt } from '../../../src/http/scheduled-at.js';

const BREACH =
  'Invalid headers: Alphanumeric characters or hyphens only, cannot start with "x-appwrite", maximum 100 keys, and total size 16384.';

describe('the headers of a create', () => {
  it('come out in lower case with text values', () => {
    expect(checkHeaders({ 'X-A': 1, b: true, C: 'c' })).toEqual({ 'x-a': '1', b: 'true', c: 'c' });
  });

  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`h${i}`, '']));

  it.each([
    [{ 'x-appwrite-key': 'a' }],
    [{ 'X-APPWRITE-user-id': 'a' }],
    [{ '-a': '' }],
    [{ 'a-': '' }],
    [{ a_b: '' }],
    [{ '': '' }],
    [{ a: 'b\r\nc: d' }],
    [{ a: 'b\0' }],
    [{ a: null }],
    [{ a: {} }],
    [many(101)],
    [{ a: 'x'.repeat(16_383) }],
    [{ a: 'ä'.repeat(8_192) }],
    [JSON.parse('{"__proto__":"a"}')],
  ])('%j breaks the rules', (headers) => {
    expect(() => checkHeaders(headers)).toThrow(BREACH);
  });

  it.each([[many(100)], [{ a: 'x'.repeat(16_382) }], [{ 'x-appwrite': 'a' }], [{ 1: '' }]])(
    '%j keeps them',
    (headers) => {
      expect(Object.keys(checkHeaders(headers))).toHaveLength(Object.keys(headers).length);
    },
  );
});

describe('the default method', () => {
  it.each([
    [undefined, 'GET'],
    ['1.4.0', 'GET'],
    ['1.7.9', 'GET'],
    ['1.8.0', 'POST'],
    ['1.9.5', 'POST'],
    ['1.10.0', 'POST'],
    ['2.3.0', 'POST'],
    ['0.15.3', 'GET'],
    ['what', 'GET'],
  ])('of response format %s is %s', (format, method) => {
    expect(defaultMethod(format)).toBe(method);
  });
});

describe('scheduledAt', () => {
  const now = Date.parse('2030-01-01T00:00:30Z');

  it('needs async', () => {
    expect(() => checkScheduledAt('2030-01-02T00:00:00Z', false, now)).toThrow('must run asynchronously');
  });

  it.each([
    'tomorrow',
    '2030-01-01',
    '2030-01-01T00:01:00Z',
    '2030-01-01T00:05:01Z',
    '2030-01-01T00:05:00.001Z',
    '2030-02-30T00:00:00Z',
    '2030-01-01T24:01:00Z',
    '2029-01-01T00:05:00Z',
  ])('cannot be %s', (scheduledAt) => {
    expect(() => checkScheduledAt(scheduledAt, true, now)).toThrow('Execution schedule must be a valid date');
  });

  it.each([
    '2030-01-01T00:02:00Z',
    '2030-01-01T00:02',
    '2030-01-01T00:02:00.000+00:00',
    '2030-01-01T02:02:00+0200',
    '2030-01-01 00:02:00',
  ])('can be %s', (scheduledAt) => {
    expect(() => checkScheduledAt(scheduledAt, true, now)).not.toThrow();
  });

  it('may be absent', () => {
    expect(() => checkScheduledAt(undefined, false, now)).not.toThrow();
  });
});

describe('malformed JSON', () => {
  it.each([
    ['{"a":}', 5],
    ['{"a":1,}', 7],
    ['[1,2', 4],
    ['{"a" 1}', 5],
    ['{a:1}', 1],
    ['{"a":"b', 7],
    ['{"a":"\\x"}', 6],
    ['{"a":"b\nc"}', 7],
    ['[1 2]', 3],
    ['{}x', 2],
    ['tru', 0],
    ['[01]', 2],
    ['', 0],
    ['  ', 2],
    ['[{"a":[]},}', 10],
    ['{"a":[1}', 7],
  ])('%j breaks at %i', (text, offset) => {
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
    expect(findJsonError(text)).toBe(offset);
  });

  it.each(['{"a":[1,{"b":null}],"c":"\\u00e4\\n"}', '[]', '[[],{}]', '-1.5e3', '"x"'])(
    'is not %s',
    (text) => {
      expect(parseJsonBody(text)).toEqual(JSON.parse(text));
      expect(findJsonError(text)).toBe(text.length);
    },
  );

  it('is reported with line and column', () => {
    expect(() => parseJsonBody('{\n  "a": x\n}')).toThrow(
      'The request body is not valid JSON: unexpected "x" at line 2, column 8.',
    );
    expect(() => parseJsonBody('{"a":')).toThrow('it ends too early at line 1, column 6.');
    expect(parseJsonBody('')).toBeUndefined();
  });
});

describe('routing', () => {
  it.each([
    ['/functions', '/v1/functions'],
    ['/functions/f/executions?x=/v1', '/v1/functions/f/executions?x=/v1'],
    ['/executions?a', '/v1/executions?a'],
    ['/health/version', '/v1/health/version'],
    ['/v1/functions/f', '/v1/functions/f'],
    ['/functionsx', '/functionsx'],
    ['/docs', '/docs'],
    ['/openapi.yaml', '/openapi.yaml'],
    ['/f/id', '/f/id'],
    ['/f/id/functions/%zz?a=%', '/f/id'],
    ['/f/id?a', '/f/id'],
  ])('sends %s to %s', (url, routed) => {
    expect(rewriteUrl(url)).toBe(routed);
  });

  it.each([
    ['/f/id', '/'],
    ['/f/id/', '/'],
    ['/f/id?a=b', '/?a=b'],
    ['/f/id/a%2Fb//c;d?e?f', '/a%2Fb//c;d?e?f'],
  ])('shows %s to the function as %s', (url, path) => {
    expect(directCallPath(url)).toBe(path);
  });
});
