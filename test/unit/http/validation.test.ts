import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../src/errors.js';
import { idParameter, listParameters, looseBooleanParameter } from '../../../src/http/parameters.js';
import { ExecutionRequestModel } from '../../../src/http/routes/execution-request.js';
import { validatorCompiler } from '../../../src/http/validation.js';

type Validate = (input: unknown) => { value?: Record<string, unknown>; error?: Error };
const compile = (schema: unknown): Validate => validatorCompiler({ schema } as never) as unknown as Validate;

function messageOf(schema: unknown, input: unknown): string {
  const { error } = compile(schema)(input);
  expect(error).toBeInstanceOf(ApiError);
  expect((error as ApiError).type).toBe('general_argument_invalid');
  return error!.message;
}

describe('parameters by schema', () => {
  const schema = Type.Object({
    name: Type.String({ minLength: 1, maxLength: 3 }),
    note: Type.Optional(Type.String({ maxLength: 5 })),
    count: Type.Optional(Type.Integer({ minimum: 0, maximum: 36500 })),
    kind: Type.Optional(Type.Enum(['a', 'b'])),
    strict: Type.Boolean({ default: true }),
    loose: looseBooleanParameter(false, ''),
  });

  it.each([
    [{}, 'Param "name" is not optional.'],
    [{ name: null }, 'Param "name" is not optional.'],
    [
      { name: '' },
      'Invalid `name` param: Value must be a valid string and at least 1 chars and no longer than 3 chars',
    ],
    [
      { name: 'abcd' },
      'Invalid `name` param: Value must be a valid string and at least 1 chars and no longer than 3 chars',
    ],
    [
      { name: 5 },
      'Invalid `name` param: Value must be a valid string and at least 1 chars and no longer than 3 chars',
    ],
    [
      { name: 'a', note: 'abcdef' },
      'Invalid `note` param: Value must be a valid string and no longer than 5 chars',
    ],
    [{ name: 'a', count: 36501 }, 'Invalid `count` param: Value must be a valid range between 0 and 36,500'],
    [{ name: 'a', count: '15.0' }, 'Invalid `count` param: Value must be a valid range between 0 and 36,500'],
    [{ name: 'a', count: 15.5 }, 'Invalid `count` param: Value must be a valid range between 0 and 36,500'],
    [{ name: 'a', kind: 'c' }, 'Invalid `kind` param: Value must be one of (a, b)'],
    [{ name: 'a', strict: 'true' }, 'Invalid `strict` param: Value must be a valid boolean'],
    [{ name: 'a', loose: 'yes' }, 'Invalid `loose` param: Value must be a valid boolean'],
    [{ loose: 'yes' }, 'Param "name" is not optional.'],
    [
      { name: 'abcd', note: 'abcdef' },
      'Invalid `name` param: Value must be a valid string and at least 1 chars and no longer than 3 chars',
    ],
    ['text', 'The request body must be a JSON object.'],
    [[1], 'The request body must be a JSON object.'],
  ])('%j is refused', (input, message) => {
    expect(messageOf(schema, input)).toBe(message);
  });

  it('fills in defaults, takes null for absent and leaves out what it does not know', () => {
    expect(compile(schema)({ name: 'a', note: null, strict: null, other: 1 }).value).toEqual({
      name: 'a',
      strict: true,
      loose: false,
    });
  });

  it('takes integers as text and counts characters, not UTF-16 units', () => {
    expect(compile(schema)({ name: '😀😀😀', count: '15' }).value).toMatchObject({
      name: '😀😀😀',
      count: 15,
    });
    expect(messageOf(schema, { name: '😀😀😀😀' })).toContain('no longer than 3 chars');
  });

  it.each([true, 'true', '1', 1])('takes the loose boolean %j for true', (loose) => {
    expect(compile(schema)({ name: 'a', loose }).value).toMatchObject({ loose: true });
  });

  it.each([false, 'false', '0', 0])('takes the loose boolean %j for false', (loose) => {
    expect(compile(schema)({ name: 'a', loose }).value).toMatchObject({ loose: false });
  });

  it('refuses at start what nothing would check', () => {
    expect(() => compile(Type.Object({ free: Type.String() }))).toThrow('"free"');
  });
});

describe('ids', () => {
  const schema = Type.Object({ id: idParameter('', 'x') });

  it.each(['a', 'A1._-', '0'.repeat(36)])('%s is one', (id) => {
    expect(compile(schema)({ id }).value).toEqual({ id });
  });

  it.each(['', '_a', '.a', '-a', 'a b', 'ä', 'a/b', '0'.repeat(37)])('"%s" is none', (id) => {
    expect(messageOf(schema, { id })).toMatch(
      /^Invalid `id` param: Parameter must contain at most 36 chars\./,
    );
  });
});

describe('a create', () => {
  const read = (input: unknown) => compile(ExecutionRequestModel)(input).value;

  it('has the defaults of the contract', () => {
    const defaults = { body: Buffer.alloc(0), async: false, path: '/', headers: {} };
    expect(read(undefined)).toEqual(defaults);
    expect(read([])).toEqual(defaults);
    expect(read({ headers: [], scheduledAt: null, method: null })).toEqual(defaults);
  });

  it('takes headers as an object or as JSON text, and puts a slash before the path', () => {
    expect(read({ headers: '{"a":"b"}', path: 'x?y' })).toMatchObject({ headers: { a: 'b' }, path: '/x?y' });
    expect(read({ headers: '{}' })).toMatchObject({ headers: {} });
    expect(read({ headers: '[]' })).toMatchObject({ headers: {} });
  });

  it.each([
    [{ body: 1 }, 'Invalid `body` param: Value must be a valid string and no longer than 10485760 chars'],
    [{ path: '/a\r\nb' }, 'Invalid `path` param: Value must not contain line breaks or NUL characters'],
    [
      { path: 'x'.repeat(2049) },
      'Invalid `path` param: Value must be a valid string and no longer than 2048 chars',
    ],
    [
      { method: 'get' },
      'Invalid `method` param: Value must be one of (GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD)',
    ],
    [{ headers: 'x' }, 'Invalid `headers` param: Value must be a valid object'],
    [{ headers: ['a'] }, 'Invalid `headers` param: Value must be a valid object'],
    [
      { async: 2, path: 5, body: 5 },
      'Invalid `body` param: Value must be a valid string and no longer than 10485760 chars',
    ],
    [{ async: 2, path: 5 }, 'Invalid `async` param: Value must be a valid boolean'],
  ])('refuses %j', (input, message) => {
    expect(messageOf(ExecutionRequestModel, input)).toBe(message);
  });

  it('takes a body of 10,485,760 characters and no more', () => {
    expect(read({ body: 'x'.repeat(10_485_760) })).toMatchObject({ body: { length: 10_485_760 } });
    expect(messageOf(ExecutionRequestModel, { body: 'x'.repeat(10_485_761) })).toContain('`body`');
  });
});

describe('a list', () => {
  const schema = listParameters({ status: { column: 'status', type: 'string' } }, 1);

  it('gathers its queries from their names with brackets', () => {
    const { value } = compile(schema)({ 'queries[0]': '{"method":"limit","values":[7]}', total: 'false' });
    expect(value).toMatchObject({ queries: { limit: 7, offset: 0 }, total: false });
  });

  it('checks queries before search', () => {
    expect(messageOf(schema, { 'queries[]': '{', search: '' })).toMatch(/^Invalid `queries` param: /);
    expect(messageOf(schema, { search: '' })).toMatch(/^Invalid `search` param: /);
    expect(compile(schema)({}).value).toMatchObject({ queries: { limit: 25 }, total: true });
  });
});
