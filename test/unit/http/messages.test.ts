import { describe, expect, it } from 'vitest';
import type { Execution } from '../../../src/executions/types.js';
import { headersForClient, headersForFunction } from '../../../src/http/forwarding.js';
import { toExecutionBody, toResultBody } from '../../../src/http/models/execution.js';
import { functionExample } from '../../../src/http/models/function.js';
import { encodeMultipart, prefersMultipart } from '../../../src/http/multipart.js';

const execution: Execution = {
  seq: 1,
  id: '68b1c2d3e4f5a6b7c8d9',
  functionId: 'hello',
  deploymentId: 'd1',
  trigger: 'http',
  status: 'completed',
  requestMethod: 'GET',
  requestPath: '/',
  requestHeaders: [['host', 'localhost']],
  responseStatusCode: 200,
  responseHeaders: [['content-type', 'text/plain']],
  duration: 0.00123456789,
  createdAt: Date.UTC(2024, 0, 31, 12),
  updatedAt: Date.UTC(2024, 0, 31, 12, 0, 0, 7),
  scheduledAt: null,
  userId: null,
  logs: 'secret',
  errors: 'worse',
};
const key = { kind: 'key', id: 'k', scopes: [] } as const;

describe('the Execution', () => {
  it('has every field of the contract', () => {
    expect(toExecutionBody(execution, key)).toEqual({
      $id: '68b1c2d3e4f5a6b7c8d9',
      $createdAt: '2024-01-31T12:00:00.000+00:00',
      $updatedAt: '2024-01-31T12:00:00.007+00:00',
      $permissions: [],
      functionId: 'hello',
      resourceId: 'hello',
      resourceType: 'functions',
      deploymentId: 'd1',
      trigger: 'http',
      status: 'completed',
      requestMethod: 'GET',
      requestPath: '/',
      requestHeaders: [{ name: 'host', value: 'localhost' }],
      responseStatusCode: 200,
      responseBody: '',
      responseHeaders: [{ name: 'content-type', value: 'text/plain' }],
      logs: 'secret',
      errors: 'worse',
      duration: 0.001235,
      scheduledAt: null,
    });
  });

  it('shows no logs and errors to guests', () => {
    expect(toExecutionBody(execution, { kind: 'guest' })).toMatchObject({ logs: '', errors: '' });
  });

  it('names the user who may read it, and its schedule', () => {
    const scheduled = { ...execution, userId: 'u1', scheduledAt: Date.UTC(2030, 0, 1) };
    expect(toExecutionBody(scheduled, key)).toMatchObject({
      $permissions: ['read("user:u1")'],
      scheduledAt: '2030-01-01T00:00:00.000+00:00',
    });
  });

  it('has all the headers in the answer to a sync create', () => {
    const response = {
      status: 200,
      headers: [['set-cookie', 'a']] as [string, string][],
      body: Buffer.from('hi'),
    };
    expect(toResultBody({ execution, response }, key)).toMatchObject({
      responseHeaders: [
        { name: 'set-cookie', value: 'a' },
        { name: 'x-appwrite-execution-id', value: execution.id },
      ],
    });
    expect(toResultBody({ execution, response: null }, key)).toEqual(toExecutionBody(execution, key));
  });
});

describe('the Function', () => {
  it('has the newest fields and the older names', () => {
    expect(functionExample).toMatchObject({
      $createdAt: '2025-08-29T15:09:20.000+00:00',
      deployment: functionExample.deploymentId,
      specification: functionExample.buildSpecification,
      version: 'v5',
      vars: [],
      providerPaths: [],
    });
  });
});

describe('a multipart answer', () => {
  it.each([
    [undefined, false],
    ['*/*', false],
    ['application/json, multipart/form-data', false],
    ['multipart/form-data', true],
    ['Multipart/Form-Data, application/json', true],
  ])('is given to accept: %s – %s', (accept, expected) => {
    expect(prefersMultipart(accept)).toBe(expected);
  });

  it('has one part for each field, bytes untouched', async () => {
    const bytes = Buffer.from([0, 255, 13, 10, 45, 45]);
    const { type, body } = encodeMultipart({ a: 1, list: [{ x: 'y' }], none: null, responseBody: bytes });
    const boundary = type.split('boundary=')[1];
    const text = body.toString('latin1');
    expect(text.split(`--${boundary}\r\n`)).toHaveLength(5);
    expect(text.endsWith(`--${boundary}--\r\n`)).toBe(true);
    expect(text).toContain('name="list"\r\n\r\n[{"x":"y"}]\r\n');
    expect(text).toContain('name="none"\r\n\r\n\r\n');
    expect(body.includes(Buffer.concat([Buffer.from('name="responseBody"\r\n\r\n'), bytes]))).toBe(true);
  });
});

describe('a direct call', () => {
  it('passes on what is the function’s and keeps what is ours or the connection’s', () => {
    const given = {
      host: 'h',
      authorization: 'Bearer app',
      'x-appwrite-key': 'secret',
      'x-appwrite-project': 'p',
      cookie: 'a=1; a_session_default=s; b=2',
      connection: 'keep-alive, x-hop',
      'x-hop': '1',
      te: 'trailers',
      'transfer-encoding': 'chunked',
      'content-type': 'weird',
    };
    expect(headersForFunction(given, 3)).toEqual({
      host: 'h',
      authorization: 'Bearer app',
      cookie: 'a=1; b=2',
      'content-type': 'weird',
      'content-length': '3',
    });
    expect(headersForFunction({ cookie: 'a_session_default=s' }, 0)).toEqual({});
  });

  it('answers with the function’s headers but not with those of its connection', () => {
    const headers = headersForClient([
      ['content-type', 'text/html'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['set-cookie', 'c=3'],
      ['content-length', '5'],
      ['transfer-encoding', 'chunked'],
      ['connection', 'close, x-hop'],
      ['x-hop', '1'],
      ['x-bad', 'a\r\nb: c'],
      ['bad name', 'a'],
      ['x-appwrite-execution-id', 'forged'],
    ]);
    expect(Object.fromEntries(headers)).toEqual({
      'content-type': 'text/html',
      'set-cookie': ['a=1', 'b=2', 'c=3'],
    });
  });
});
