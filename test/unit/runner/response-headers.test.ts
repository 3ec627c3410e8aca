import { describe, expect, test } from 'vitest';
import {
  MAX_RESPONSE_HEADER_BYTES,
  MAX_RESPONSE_HEADERS,
  ResponseFault,
  readHeaders,
} from '../../../src/runner/response-headers.js';

const PLAIN: [string, string] = ['content-type', 'text/plain; charset=utf-8'];

describe('names', () => {
  test('are put in lower case', () => {
    expect(readHeaders({ 'X-Some-Name': 'Some Value' })).toEqual([['x-some-name', 'Some Value'], PLAIN]);
  });

  test('that start with x-open-runtimes- are dropped, whatever they hold', () => {
    const given = { 'x-open-runtimes-a': '1', 'X-Open-Runtimes-B': undefined, 'x-open-runtimes': 'kept' };
    expect(readHeaders(given)).toEqual([['x-open-runtimes', 'kept'], PLAIN]);
  });

  test('in two spellings are one: the later wins', () => {
    expect(readHeaders({ 'x-a': ['1', '2'], 'x-b': 'b', 'X-A': '3' })).toEqual([
      ['x-b', 'b'],
      ['x-a', '3'],
      PLAIN,
    ]);
  });

  test.each(['', 'a b', 'a:', 'ä', 'a\r\nb', 'a\0', '(a)', 'a/b'])('%j is refused', (name) => {
    expect(() => readHeaders({ [name]: 'a' })).toThrow(
      new ResponseFault(`The header name ${JSON.stringify(name)} is not valid.`),
    );
  });

  test('of every character that HTTP allows are taken', () => {
    expect(readHeaders({ "!#$%&'*+.^_`|~09az-": 'a' })[0]).toEqual(["!#$%&'*+.^_`|~09az-", 'a']);
  });
});

describe('values', () => {
  test.each([
    [1, '1'],
    [0.5, '0.5'],
    [-0, '0'],
    [10n, '10'],
    [true, 'true'],
    ['', ''],
    ['\t ~', '\t ~'],
    ['\u0080\u00ff', '\u0080\u00ff'],
  ])('%s is sent as text', (value, text) => {
    expect(readHeaders({ a: value })).toEqual([['a', text], PLAIN]);
  });

  test('an array gives several headers of that name', () => {
    expect(readHeaders({ 'Set-Cookie': ['a=1', 'b=2'], 'x-a': [1, '2'], 'x-b': [] })).toEqual([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['x-a', '1'],
      ['x-a', '2'],
      PLAIN,
    ]);
  });

  test.each(['a\r', 'a\nb: c', '\0', '\u007f', '\u0100', '😀', '\u001f'])('%j is refused', (value) => {
    const fault = new ResponseFault('The value of the header "X-A" holds a character that HTTP forbids.');
    expect(() => readHeaders({ 'X-A': value })).toThrow(fault);
    expect(() => readHeaders({ 'X-A': ['fine', value] })).toThrow(fault);
  });

  test.each([
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['an object', {}, 'an object'],
    ['a function', () => {}, 'a function'],
    ['a symbol', Symbol('s'), 'a symbol'],
    ['an array in an array', [['a']], 'an array'],
    ['bytes', Buffer.from('a'), 'bytes'],
  ])('%s is refused', (_name, value, shown) => {
    expect(() => readHeaders({ a: value })).toThrow(
      new ResponseFault(
        `The value of the header "a" must be text, a number or an array of them, not ${shown}.`,
      ),
    );
  });
});

describe('the content type', () => {
  test.each([
    ['text/html', 'text/html; charset=utf-8'],
    ['Text/HTML', 'text/html; charset=utf-8'],
    ['image/png; Name=A', 'image/png; name=a; charset=utf-8'],
    ['text/HTML; Charset=ISO-8859-1', 'text/HTML; Charset=ISO-8859-1'],
    ['text/html;charset=UTF-8', 'text/html;charset=UTF-8'],
    ['multipart/form-data; boundary=AbC', 'multipart/form-data; boundary=AbC'],
    ['Multipart/Mixed; boundary=AbC', 'Multipart/Mixed; boundary=AbC'],
  ])('%s becomes %s', (given, expected) => {
    expect(readHeaders({ 'Content-Type': given })).toEqual([['content-type', expected]]);
  });

  test.each([undefined, null, {}, { 'content-type': [] }])('is plain text if %j gives none', (given) => {
    expect(readHeaders(given)).toEqual([PLAIN]);
  });
});

describe('headers can be given as', () => {
  const expected = [['x-a', '1'], ['x-b', '2'], PLAIN];
  test.each([
    ['an object', { 'X-A': '1', 'X-B': 2 }],
    [
      'a Map',
      new Map<string, unknown>([
        ['X-A', '1'],
        ['X-B', 2],
      ]),
    ],
    ['Headers of fetch', new Headers({ 'X-A': '1', 'X-B': '2' })],
  ])('%s', (_name, given) => {
    expect(readHeaders(given)).toEqual(expected);
  });

  test('Headers of fetch with several cookies', () => {
    const headers = new Headers();
    headers.append('set-cookie', 'a=1');
    headers.append('set-cookie', 'b=2');
    expect(readHeaders(headers)).toEqual([['set-cookie', 'a=1'], ['set-cookie', 'b=2'], PLAIN]);
  });

  test.each([['text'], [1], [[['a', 'b']]], [() => {}]])('not as %j', (given) => {
    expect(() => readHeaders(given)).toThrow(
      new ResponseFault('The headers of a response must be an object of names and values.'),
    );
  });
});

describe('too many', () => {
  // The content type is there in any case.
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count - 1 }, (_, i) => [`h${i}`, '']));
  const long = (bytes: number) => ({
    a: 'x'.repeat(bytes - 1 - PLAIN.join('').length),
  });

  test('by number are refused', () => {
    expect(readHeaders(many(MAX_RESPONSE_HEADERS))).toHaveLength(MAX_RESPONSE_HEADERS);
    expect(() => readHeaders(many(MAX_RESPONSE_HEADERS + 1))).toThrow(
      new ResponseFault('The response has 1001 headers; the limit is 1000.'),
    );
  });

  test('by size are refused', () => {
    expect(readHeaders(long(MAX_RESPONSE_HEADER_BYTES))).toHaveLength(2);
    expect(() => readHeaders(long(MAX_RESPONSE_HEADER_BYTES + 1))).toThrow(
      new ResponseFault('The response headers hold 131073 bytes; the limit is 131072 bytes (128 KiB).'),
    );
  });
});
