import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import {
  cutMessage,
  formatMessage,
  formatThrown,
  isError,
  MAX_MESSAGE_CHARACTERS,
} from '../../../src/runner/format.js';

const CUT = '... Log truncated due to size limit (8000 characters)';

const untouched = (text: string): string => text;
const line = (...values: unknown[]): string => formatMessage(values, untouched);

/** An Error with a stack that does not depend on where this file lies. */
function errorWith(stack: string, message = 'm'): Error {
  return Object.assign(new TypeError(message), { stack });
}

describe('values of a message', () => {
  test('are joined by a space', () => {
    expect(line()).toBe('');
    expect(line('')).toBe('');
    expect(line('a', 'b c', 1, true, null)).toBe('a b c 1 true null');
  });

  test('are not put into a format', () => {
    expect(line('%s is %d %%', 'a', 1)).toBe('%s is %d %% a 1');
  });

  const circular: Record<string, unknown> = { a: 1 };
  circular.self = circular;
  circular.list = [circular];
  const twice = { b: 1 };

  test.each<[name: string, value: unknown, text: string]>([
    ['text', 'a "b"\n', 'a "b"\n'],
    ['a number', -1.5, '-1.5'],
    ['a boolean', false, 'false'],
    ['null', null, 'null'],
    ['undefined', undefined, 'null'],
    ['a BigInt', 12345678901234567890n, '"12345678901234567890"'],
    ['NaN', Number.NaN, '"NaN"'],
    ['Infinity', Number.POSITIVE_INFINITY, '"Infinity"'],
    ['-Infinity', Number.NEGATIVE_INFINITY, '"-Infinity"'],
    ['a Date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['an invalid Date', new Date(Number.NaN), 'null'],
    ['an object', { a: 'b', c: [1, null] }, '{"a":"b","c":[1,null]}'],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    ['a Map', new Map<unknown, unknown>([['a', 1n]]), '[["a","1"]]'],
    ['a Set', new Set([1, 'a', undefined]), '[1,"a",null]'],
    ['a Uint8Array', Uint8Array.from([0, 255]), '[0,255]'],
    ['a Buffer', Buffer.from('ab'), '[97,98]'],
    ['a Float64Array', Float64Array.from([0.5, Number.NaN]), '[0.5,"NaN"]'],
    ['an ArrayBuffer', Uint8Array.from([1, 2]).buffer, '[1,2]'],
    ['a DataView', new DataView(Uint8Array.from([1, 2, 3]).buffer, 1), '[2,3]'],
    ['a back-reference', circular, '{"a":1,"self":null,"list":[null]}'],
    ['one object in two places', [twice, twice], '[{"b":1},{"b":1}]'],
    ['a URL', { url: new URL('http://a/b?c') }, '{"url":"http://a/b?c"}'],
    ['an Error inside', { e: new RangeError('out') }, '{"e":{"name":"RangeError","message":"out"}}'],
    ['a Symbol', Symbol('s'), ''],
    ['a function', () => {}, ''],
    ['a class', class {}, ''],
    ['a RegExp', /a/g, '"/a/g"'],
    ['an object with toJSON()', { toJSON: () => ({ n: 1n }) }, '{"n":"1"}'],
    ['a boxed number', Object(1), '1'],
    ['a boxed BigInt', Object(1n), '"1"'],
    ['a member __proto__', JSON.parse('{"__proto__":1}'), '{"__proto__":1}'],
    [
      'all of these inside an object',
      {
        b: 1n,
        n: Number.NaN,
        i: -Infinity,
        d: new Date(0),
        m: new Map([[{ k: 1 }, new Set([2])]]),
        u: undefined,
        bytes: new Uint8Array(1),
      },
      '{"b":"1","n":"NaN","i":"-Infinity","d":"1970-01-01T00:00:00.000Z","m":[[{"k":1},[2]]],"u":null,"bytes":[0]}',
    ],
  ])('%s', (_name, value, text) => {
    expect(line(value)).toBe(text);
    expect(line('>', value, '<')).toBe(`> ${text} <`);
  });

  test('an Error is its stack, cleaned', () => {
    const error = errorWith('TypeError: m\n    at f (/code/a.js:1:1)');
    expect(formatMessage([error], (text) => text.replace('/code/', ''))).toBe(
      'TypeError: m\n    at f (a.js:1:1)',
    );
  });

  test('an Error without a stack is its name and message', () => {
    expect(line(errorWith(''))).toBe('TypeError: m');
  });

  test('an Error of another realm is one too', () => {
    const foreign: unknown = runInNewContext('Object.assign(new Error("m"), { stack: "the stack" })');
    expect(isError(foreign)).toBe(true);
    expect(line(foreign)).toBe('the stack');
    expect(line({ foreign })).toBe('{"foreign":{"name":"Error","message":"m"}}');
  });

  test('one that can’t be shown does not fail the execution', () => {
    const getter = {
      get a() {
        throw new Error('no');
      },
    };
    expect(line('a', getter, 'b')).toBe("a [a value that can't be shown: no] b");
    let deep: unknown[] = [];
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(line(deep)).toMatch(/^\[a value that can't be shown: /);
  });
});

describe('what was thrown', () => {
  test.each<[thrown: unknown, text: string]>([
    ['a text', 'a text'],
    ['', ''],
    [1, '1'],
    [1n, '1'],
    [Number.NaN, 'NaN'],
    [false, 'false'],
    [null, 'null'],
    [undefined, 'undefined'],
    [{ code: 1, list: ['a'] }, '{"code":1,"list":["a"]}'],
    [[1, 2n], '[1,"2"]'],
    [Symbol('s'), 'Symbol(s)'],
    [errorWith('the stack'), 'the stack'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ])('%s is shown as %j', (thrown, text) => {
    expect(formatThrown(thrown, untouched)).toBe(text);
  });

  test('the stack of an Error is cleaned', () => {
    expect(formatThrown(errorWith('at /code/a.js'), (text) => text.replace('/code/', ''))).toBe('at a.js');
  });
});

describe('a message that is too long', () => {
  const full = 'x'.repeat(MAX_MESSAGE_CHARACTERS);

  test('is cut behind 8,000 UTF-16 units, with a notice', () => {
    expect(MAX_MESSAGE_CHARACTERS).toBe(8_000);
    expect(cutMessage(full)).toBe(full);
    expect(cutMessage(`${full}y`)).toBe(full + CUT);
  });

  test('is measured as the joined line', () => {
    expect(line('x'.repeat(7_998), 1)).toBe(`${'x'.repeat(7_998)} 1`);
    expect(line('x'.repeat(7_998), 12)).toBe(`${'x'.repeat(7_998)} 1${CUT}`);
  });

  test('is cut as text alone and as JSON', () => {
    expect(line(`${full}y`)).toBe(full + CUT);
    expect(line([full])).toBe(`["${full.slice(2)}${CUT}`);
  });

  test('is not cut through a character', () => {
    // 😀 is two units.
    expect(cutMessage(`${full.slice(1)}😀`)).toBe(full.slice(1) + CUT);
    expect(cutMessage(`${full.slice(2)}😀y`)).toBe(`${full.slice(2)}😀${CUT}`);
    // Half a character of the function's own is nobody's to mend.
    expect(cutMessage(`${full.slice(1)}\ude00y`)).toBe(`${full.slice(1)}\ude00${CUT}`);
  });
});
