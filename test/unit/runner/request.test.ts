import { describe, expect, test } from 'vitest';
import { createRequest, type RequestParts } from '../../../src/runner/request.js';

const request = (parts: Partial<RequestParts> = {}) =>
  createRequest({ method: 'GET', path: '/', headers: {}, body: Buffer.alloc(0), ...parts });

/** A request with this body, and with this content type if one is named. */
const withBody = (body: string | Buffer, contentType?: string) =>
  request({
    headers: contentType === undefined ? {} : { 'content-type': contentType },
    body: Buffer.from(body),
  });

describe('the body', () => {
  test('bodyBinary is a Buffer of the raw bytes', () => {
    const bytes = Buffer.from([0, 255, 128, 10]);
    const { bodyBinary } = withBody(bytes);
    expect(Buffer.isBuffer(bodyBinary)).toBe(true);
    expect(bodyBinary).toEqual(bytes);
  });

  test('a large one comes through whole', () => {
    const bytes = Buffer.alloc(200_000, 'abcdefg');
    expect(withBody(bytes).bodyBinary.equals(bytes)).toBe(true);
  });

  test('bodyText and bodyRaw are the bytes as UTF-8', () => {
    const req = withBody(Buffer.from([0xc3, 0xa4, 0xf0, 0x9f, 0x98, 0x80, 0xff]));
    expect(req.bodyText).toBe('ä😀\ufffd');
    expect(req.bodyRaw).toBe('ä😀\ufffd');
  });

  test('bodyJson is what the text holds, whatever the content type', () => {
    expect(withBody('{"a":[1,"ä"]}').bodyJson).toEqual({ a: [1, 'ä'] });
    expect(withBody('null').bodyJson).toBeNull();
  });

  test.each(['', '{', 'hello'])('bodyJson throws on the text %j', (text) => {
    expect(() => withBody(text).bodyJson).toThrow(SyntaxError);
  });

  test.each(['application/json', 'application/json; charset=utf-8', 'APPLICATION/Json', 'application/json5'])(
    'body is the JSON if the content type is %s',
    (contentType) => {
      expect(withBody('{"a":1}', contentType).body).toEqual({ a: 1 });
    },
  );

  test('body is {} if the content type is JSON and there is none', () => {
    expect(withBody('', 'application/json').body).toEqual({});
  });

  test('body throws if the content type is JSON and the text is not', () => {
    const req = withBody('{', 'application/json');
    expect(() => req.body).toThrow(SyntaxError);
  });

  test.each([undefined, 'text/plain', 'text/application/json', 'application/ld+json'])(
    'body is the text if the content type is %s',
    (contentType) => {
      expect(withBody('{"a":1}', contentType).body).toBe('{"a":1}');
      expect(withBody('', contentType).body).toBe('');
    },
  );

  test('its members are getters, so that a bad body harms nobody who does not look at it', () => {
    const descriptors = Object.getOwnPropertyDescriptors(withBody('{', 'application/json'));
    const getters = Object.keys(descriptors).filter(
      (name) => descriptors[name as keyof typeof descriptors]?.get !== undefined,
    );
    expect(getters.sort()).toEqual(['body', 'bodyBinary', 'bodyJson', 'bodyRaw', 'bodyText']);
  });
});

describe('the headers', () => {
  test('are a plain object of what was sent', () => {
    const { headers } = request({ headers: { 'x-a': '1', 'x-appwrite-trigger': 'http' } });
    expect(headers).toEqual({ 'x-a': '1', 'x-appwrite-trigger': 'http' });
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
  });

  test('hold none that starts with x-open-runtimes-', () => {
    const headers = {
      'x-open-runtimes-secret': 's',
      'x-open-runtimes-': '',
      'x-open-runtimes': 'kept',
      a: 'b',
    };
    expect(request({ headers }).headers).toEqual({ 'x-open-runtimes': 'kept', a: 'b' });
  });
});

test.each([
  ['get', 'GET'],
  ['PaTcH', 'PATCH'],
  ['POST', 'POST'],
])('the method %s is %s', (given, method) => {
  expect(request({ method: given }).method).toBe(method);
});

describe('where it was sent', () => {
  test.each([
    [{}, { scheme: 'http', host: '', port: 80, url: 'http:///p' }],
    [{ host: 'a.b' }, { scheme: 'http', host: 'a.b', port: 80, url: 'http://a.b/p' }],
    [{ host: 'a.b:80' }, { scheme: 'http', host: 'a.b', port: 80, url: 'http://a.b/p' }],
    [{ host: 'a.b:443' }, { scheme: 'http', host: 'a.b', port: 443, url: 'http://a.b:443/p' }],
    [{ host: 'a.b:3000' }, { scheme: 'http', host: 'a.b', port: 3000, url: 'http://a.b:3000/p' }],
    [{ host: 'a.b:' }, { scheme: 'http', host: 'a.b', port: 80, url: 'http://a.b/p' }],
    [{ host: '[::1]' }, { scheme: 'http', host: '[::1]', port: 80, url: 'http://[::1]/p' }],
    [{ host: '[::1]:81' }, { scheme: 'http', host: '[::1]', port: 81, url: 'http://[::1]:81/p' }],
    [
      { host: 'a.b', 'x-forwarded-proto': 'https' },
      { scheme: 'https', host: 'a.b', port: 443, url: 'https://a.b/p' },
    ],
    [
      { host: 'a.b:443', 'x-forwarded-proto': 'https' },
      { scheme: 'https', host: 'a.b', port: 443, url: 'https://a.b/p' },
    ],
    [
      { host: 'a.b:80', 'x-forwarded-proto': 'https' },
      { scheme: 'https', host: 'a.b', port: 80, url: 'https://a.b:80/p' },
    ],
  ])('by the headers %j', (headers, expected) => {
    expect(request({ headers: headers as Record<string, string>, path: '/p' })).toMatchObject(expected);
  });
});

describe('the path', () => {
  test.each([
    ['/', '/', '', {}],
    ['/a/b%20c', '/a/b%20c', '', {}],
    ['/a?', '/a', '', {}],
    ['/?a=1&b=2', '/', 'a=1&b=2', { a: '1', b: '2' }],
    ['/?a=1?b=2', '/', 'a=1?b=2', { a: '1?b=2' }],
    ['/?a=b=c==', '/', 'a=b=c==', { a: 'b=c==' }],
    ['/?a=%20+%26', '/', 'a=%20+%26', { a: '%20+%26' }],
    ['/?%61=1', '/', '%61=1', { '%61': '1' }],
    ['/?h', '/', 'h', { h: '' }],
    ['/a?b=1#frag?c', '/a', 'b=1', { b: '1' }],
    ['/a#frag?b', '/a', '', {}],
    ['/?h=', '/', 'h=', { h: '' }],
    ['/?=1&&a=2&=', '/', '=1&&a=2&=', { a: '2' }],
    ['/?a=1&a=2&a', '/', 'a=1&a=2&a', { a: '' }],
  ])('%s', (given, path, queryString, query) => {
    const req = request({ headers: { host: 'h' }, path: given });
    expect(req).toMatchObject({ path, queryString });
    expect(req.query).toEqual(query);
    expect(req.url).toBe(`http://h${path}${queryString === '' ? '' : `?${queryString}`}`);
  });

  test('a query can name any member, __proto__ included', () => {
    const { query } = request({ path: '/?__proto__=a&constructor=b' });
    expect(Object.entries(query)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    expect(Object.getPrototypeOf(query)).toBe(Object.prototype);
  });
});
