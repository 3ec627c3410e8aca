import { describe, expect, test } from 'vitest';
import { createResponders, readResponse } from '../../../src/runner/response.js';
import { ResponseFault } from '../../../src/runner/response-headers.js';

const MIB_20 = 20_971_520;
const PLAIN = 'text/plain; charset=utf-8';
const res = createResponders();

/** What a client gets of what a function returned. */
function answer(returned: unknown) {
  const { status, headers, body } = readResponse(returned);
  return { status, headers, text: body.toString() };
}

describe('each call of res', () => {
  test.each([
    ['send of text', () => res.send('ä'), 'ä', PLAIN],
    ['send of bytes', () => res.send(Buffer.from('ä')), 'ä', PLAIN],
    ['send of a number', () => res.send(42), '42', PLAIN],
    ['send of an object', () => res.send({ a: [1, null] }), '{"a":[1,null]}', PLAIN],
    ['send of an array', () => res.send([1, 'b']), '[1,"b"]', PLAIN],
    ['send of null', () => res.send(null), '', PLAIN],
    ['send of nothing', () => res.send(undefined), '', PLAIN],
    ['text', () => res.text('ä😀'), 'ä😀', PLAIN],
    ['text of a number', () => res.text(7), '7', PLAIN],
    ['text of nothing', () => res.text(''), '', PLAIN],
    ['json', () => res.json({ a: 1, b: 'ä' }), '{"a":1,"b":"ä"}', 'application/json; charset=utf-8'],
    ['json of null', () => res.json(null), 'null', 'application/json; charset=utf-8'],
    ['json of text', () => res.json('a'), '"a"', 'application/json; charset=utf-8'],
    ['binary', () => res.binary(Buffer.from('ab')), 'ab', PLAIN],
  ])('%s answers 200 by default', (_name, call, text, contentType) => {
    expect(answer(call())).toEqual({ status: 200, headers: [['content-type', contentType]], text });
  });

  test.each([
    ['send', () => res.send('a', 201, { 'X-A': 'b' }), 'a'],
    ['text', () => res.text('a', 201, { 'X-A': 'b' }), 'a'],
    ['binary', () => res.binary(Buffer.from('a'), 201, { 'X-A': 'b' }), 'a'],
    ['json', () => res.json('a', 201, { 'X-A': 'b' }), '"a"'],
    ['redirect', () => res.redirect('/a', 201, { 'X-A': 'b' }), ''],
  ])('%s takes a status and headers', (_name, call, text) => {
    const { status, headers, text: body } = answer(call());
    expect({ status, body }).toEqual({ status: 201, body: text });
    expect(headers).toContainEqual(['x-a', 'b']);
  });

  test('send and text leave a content type that is given', () => {
    const html = { 'Content-Type': 'text/html' };
    for (const returned of [res.send('a', 200, html), res.text('a', 200, html)]) {
      expect(answer(returned).headers).toEqual([['content-type', 'text/html; charset=utf-8']]);
    }
  });

  test.each(['content-type', 'Content-Type', 'CONTENT-TYPE'])('json wins over the caller’s %s', (name) => {
    const given = { [name]: 'text/html', a: 'b' };
    expect(answer(res.json({}, 200, given)).headers.sort()).toEqual([
      ['a', 'b'],
      ['content-type', 'application/json; charset=utf-8'],
    ]);
    expect(given).toEqual({ [name]: 'text/html', a: 'b' });
  });

  test('json keeps every cookie of Headers of fetch', () => {
    const headers = new Headers([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['content-type', 'text/html'],
    ]);
    expect(answer(res.json({}, 200, headers)).headers).toEqual([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['content-type', 'application/json; charset=utf-8'],
    ]);
  });

  test('empty is 204 without a body', () => {
    expect(answer(res.empty())).toEqual({ status: 204, headers: [['content-type', PLAIN]], text: '' });
  });

  test('redirect is 301 to that location, in whatever spelling another was given', () => {
    const { status, headers, text } = answer(res.redirect('/there', undefined, { LOCATION: '/here' }));
    expect({ status, text }).toEqual({ status: 301, text: '' });
    expect(headers.filter(([name]) => name === 'location')).toEqual([['location', '/there']]);
  });

  test('what one execution does to its res does not reach the next', () => {
    createResponders().text = () => ({ body: 'broken' });
    expect(answer(createResponders().text('whole')).text).toBe('whole');
  });
});

describe('binary takes', () => {
  const bytes = Uint8Array.from([1, 0, 255, 128]);
  const around = Uint8Array.from([9, ...bytes, 9]).buffer;
  const shared = new SharedArrayBuffer(4);
  new Uint8Array(shared).set(bytes);
  test.each([
    ['a Buffer', Buffer.from(bytes)],
    ['a Uint8Array', bytes],
    ['a view of a part', new Uint8Array(around, 1, 4)],
    ['a DataView of a part', new DataView(around, 1, 4)],
    ['a Uint16Array', new Uint16Array(bytes.buffer)],
    ['an ArrayBuffer', bytes.buffer],
    ['a SharedArrayBuffer', shared],
    ['an array of numbers', [...bytes]],
  ])('%s', (_name, given) => {
    expect([...readResponse(res.binary(given)).body]).toEqual([...bytes]);
  });

  test.each([[[256]], [[-1]], [[1.5]], [['1']], [[Number.NaN]], [[undefined]]])(
    'no %j for bytes',
    (numbers) => {
      expect(() => res.binary(numbers)).toThrow('An array of bytes must hold integers from 0 to 255.');
    },
  );
});

describe('what is returned', () => {
  test.each([
    [{}, { status: 200, text: '' }],
    [{ body: 'a' }, { status: 200, text: 'a' }],
    [{ statusCode: 404 }, { status: 404, text: '' }],
    [{ headers: {} }, { status: 200, text: '' }],
    [{ body: { a: 1 } }, { status: 200, text: '{"a":1}' }],
    [Object.create(null), { status: 200, text: '' }],
  ])('the plain object %j is a response', (returned, expected) => {
    expect(answer(returned)).toEqual({ ...expected, headers: [['content-type', PLAIN]] });
  });

  test('a plain object’s headers count like those of res', () => {
    expect(answer({ body: 'a', statusCode: 200, headers: { 'X-A': 1 } }).headers).toEqual([
      ['x-a', '1'],
      ['content-type', PLAIN],
    ]);
  });

  test.each([undefined, null])('%s is a missing return statement', (returned) => {
    expect(() => readResponse(returned)).toThrow(
      new ResponseFault('Return statement missing. return context.res.empty() if no response is expected.'),
    );
  });

  test.each([
    ['text', 'hello', 'a string'],
    ['no text', '', 'a string'],
    ['a number', 0, 'a number'],
    ['a boolean', false, 'a boolean'],
    ['a BigInt', 1n, 'a bigint'],
    ['a function', () => {}, 'a function'],
    ['a symbol', Symbol('s'), 'a symbol'],
    ['an array', [1], 'an array'],
    ['a Buffer', Buffer.from('a'), 'bytes'],
    ['an ArrayBuffer', new ArrayBuffer(1), 'bytes'],
    ['a Date', new Date(), 'an object'],
    ['a Map', new Map(), 'an object'],
  ])('%s is none, and the message says what it is', (_name, returned, kind) => {
    expect(() => readResponse(returned)).toThrow(ResponseFault);
    expect(() => readResponse(returned)).toThrow(`The function returned ${kind}, which is no response.`);
  });
});

describe('the status', () => {
  test.each([
    [100, 100],
    [599, 599],
    ['404', 404],
    [undefined, 200],
  ])('%j is taken', (statusCode, status) => {
    expect(answer({ statusCode }).status).toBe(status);
  });

  test.each([
    [99, '99'],
    [600, '600'],
    [200.5, '200.5'],
    [-200, '-200'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    ['99', '"99"'],
    ['600', '"600"'],
    ['', '""'],
    ['2e2', '"2e2"'],
    ['OK', '"OK"'],
    [true, 'a boolean'],
    [200n, 'a bigint'],
    [[200], 'an array'],
    [{}, 'an object'],
  ])('%s is refused', (statusCode, shown) => {
    expect(() => readResponse({ statusCode })).toThrow(
      new ResponseFault(`The status code of a response must be an integer from 100 to 599, not ${shown}.`),
    );
  });
});

describe('the body', () => {
  test.each([
    ['text', (bytes: number) => 'a'.repeat(bytes)],
    ['bytes', (bytes: number) => Buffer.alloc(bytes)],
    // Two bytes a character: it is the bytes that count.
    ['UTF-8', (bytes: number) => 'ä'.repeat(bytes / 2) + 'a'.repeat(bytes % 2)],
  ])('of 20 MiB of %s is taken, of one byte more it is not', (_name, make) => {
    expect(readResponse({ body: make(MIB_20) }).body).toHaveLength(MIB_20);
    expect(() => readResponse({ body: make(MIB_20 + 1) })).toThrow(
      new ResponseFault('The response body has 20971521 bytes; the limit is 20971520 bytes (20 MiB).'),
    );
  });

  test.each([
    ['a promise', Promise.resolve('a'), 'a stream or promise'],
    ['a web stream', new ReadableStream(), 'a stream or promise'],
    ['something with pipe()', { pipe() {} }, 'a stream or promise'],
    ['a function', () => {}, 'a function'],
    ['a symbol', Symbol('s'), 'a symbol'],
  ])('can’t be %s', (_name, body, shown) => {
    for (const returned of [() => readResponse({ body }), () => res.text(body), () => res.send(body)]) {
      expect(returned).toThrow(
        new ResponseFault(`The body of a response must be text, bytes or JSON, not ${shown}.`),
      );
    }
  });

  test.each([
    ['undefined', undefined, 'undefined'],
    ['a function', () => {}, 'a function'],
  ])('JSON can’t be %s', (_name, value, shown) => {
    expect(() => res.json(value)).toThrow(new ResponseFault(`JSON can't hold ${shown}.`));
  });
});
