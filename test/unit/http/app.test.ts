import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildApp } from '../../../src/http/app.js';
import { KEY, makeServices } from './services.js';

let app: FastifyInstance;
const lines: Record<string, unknown>[] = [];

beforeAll(async () => {
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  app = await buildApp(makeServices({ log }));
});
afterAll(() => app.close());

const key = { 'x-appwrite-key': KEY };
const create = '/v1/functions/f/executions';
const post = (payload: string | object, headers: Record<string, string> = {}, url = create) =>
  app.inject({ method: 'POST', url, headers: { 'content-type': 'application/json', ...headers }, payload });

describe('credentials', () => {
  it.each([
    [
      'GET',
      '/v1/functions',
      {},
      401,
      'general_unauthorized_scope',
      'User (role: guests) missing scopes (["functions.read"])',
    ],
    [
      'GET',
      '/functions',
      key,
      401,
      'general_unauthorized_scope',
      'app.default@service.localhost:80 (role: applications) missing scopes (["functions.read"])',
    ],
    [
      'GET',
      '/v1/executions',
      {},
      401,
      'general_unauthorized_scope',
      'User (role: guests) missing scopes (["executions.read"])',
    ],
    [
      'DELETE',
      `${create}/e`,
      {},
      401,
      'general_unauthorized_scope',
      'User (role: guests) missing scopes (["executions.write","execution.write"])',
    ],
    ['GET', '/v1/functions', { 'x-appwrite-key': 'other' }, 401, 'user_unauthorized', 'not authorized'],
    ['POST', create, { 'x-appwrite-key': 'other' }, 401, 'user_unauthorized', 'not authorized'],
    ['POST', create, { 'x-appwrite-jwt': 'a.b.c' }, 401, 'user_jwt_invalid', 'Failed to verify JWT.'],
    [
      'POST',
      create,
      { 'x-appwrite-project': 'other' },
      404,
      'project_not_found',
      'Project with the requested ID',
    ],
    [
      'GET',
      '/v1/health',
      { 'x-appwrite-project': 'console' },
      404,
      'project_not_found',
      'Project with the requested ID',
    ],
    ['GET', '/v1/functions/-/executions', {}, 401, 'general_unauthorized_scope', 'executions.read'],
  ] as const)('%s %s with %j: %i %s', async (method, url, headers, status, type, message) => {
    const answer = await app.inject({ method, url, headers: { ...headers } });
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toEqual({
      message: expect.stringContaining(message),
      code: status,
      type,
      version: '0.1.0',
    });
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.headers['cache-control']).toContain('no-store');
  });

  it('takes the project console on health/version, and no project anywhere', async () => {
    const headers = { 'x-appwrite-project': 'console' };
    expect((await app.inject({ url: '/v1/health/version', headers })).json()).toEqual({ version: '0.1.0' });
    expect((await app.inject('/health')).json()).toEqual({
      status: 'pass',
      version: '0.1.0',
      sandbox: 'process',
    });
    expect((await app.inject({ url: '/v1/functions/runtimes', headers: key })).json()).toEqual({
      total: 0,
      runtimes: [],
    });
  });
});

describe('requests that never reach a service', () => {
  it.each([
    [{ async: 'yes' }, 'Invalid `async` param: Value must be a valid boolean'],
    [{ headers: { 'x-appwrite-key': '1' } }, 'Invalid headers: '],
    ['{"a":', 'The request body is not valid JSON: it ends too early at line 1, column 6.'],
    ['"text"', 'The request body must be a JSON object.'],
  ])('%j: 400 general_argument_invalid', async (payload, message) => {
    const answer = await post(payload);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 400, type: 'general_argument_invalid' });
    expect(answer.json().message).toContain(message);
  });

  it('checks the id before the body, and the schedule before the headers', async () => {
    expect((await post({ async: 'yes' }, {}, '/v1/functions/-/executions')).json().message).toContain(
      '`functionId`',
    );
    const long = await app.inject({ url: `/v1/functions/${'a'.repeat(500)}/executions`, headers: key });
    expect(long.json()).toMatchObject({ code: 400, type: 'general_argument_invalid' });
    const scheduled = { scheduledAt: '2031-01-01T00:00:00Z', headers: { a_b: '' } };
    expect((await post(scheduled)).json()).toMatchObject({
      type: 'general_bad_request',
      message: expect.stringContaining('asynchronously'),
    });
    expect((await post({ ...scheduled, async: true })).json().message).toContain('Invalid headers');
    const delayed = await post({ scheduledAt: '2999-01-01T00:00:00Z', async: true });
    expect(delayed.json()).toMatchObject({
      code: 400,
      type: 'general_bad_request',
      message: expect.stringContaining('delayed'),
    });
  });

  it('says 415 to other media types and 413 to too much', async () => {
    const media = await post('a=b', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(media.statusCode).toBe(415);
    expect(media.json()).toMatchObject({ code: 415, type: 'general_argument_invalid' });
    const large = await post('{}', { 'content-length': String(64 * 1024 * 1024 + 1) });
    expect(large.statusCode).toBe(413);
    expect(large.json()).toMatchObject({ code: 413, type: 'general_argument_invalid' });
    const direct = await app.inject({
      method: 'PUT',
      url: '/f/x',
      headers: { 'content-length': '20971521' },
      payload: 'x',
    });
    expect(direct.json()).toMatchObject({ code: 413, type: 'general_argument_invalid' });
  });

  it('reads multipart fields in any order, and refuses broken ones', async () => {
    const part = (name: string, value: string) =>
      `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    const multipart = (payload: string) =>
      post(payload, { 'content-type': 'multipart/form-data; boundary=b' });
    const bad = await multipart(
      `${part('headers', '{"a_b":""}')}${part('body', 'x')}${part('async', 'true')}--b--\r\n`,
    );
    expect(bad.json()).toMatchObject({ code: 400, message: expect.stringContaining('Invalid headers') });
    const broken = await multipart(part('body', 'x'));
    expect(broken.json()).toMatchObject({ code: 400, type: 'general_argument_invalid' });
  });

  it('answers unknown routes and undecodable URLs in JSON', async () => {
    for (const url of ['/', '/v1/nothing', '/v2/functions', '/f']) {
      const answer = await app.inject({
        method: 'POST',
        url,
        payload: 'x',
        headers: { 'content-type': 'a/b' },
      });
      expect(answer.statusCode).toBe(404);
      expect(answer.json()).toMatchObject({ code: 404, type: 'general_route_not_found' });
    }
    const bad = await app.inject('/v1/functions/%zz');
    expect(bad.statusCode).toBe(400);
    expect(bad.json()).toMatchObject({ code: 400, type: 'general_argument_invalid' });
    expect(bad.headers['x-request-id']).toBeTruthy();
  });

  it('ignores a body on GET, whatever its content type', async () => {
    const contentTypes = ['application/json', '', 'nonsense'];
    for (const type of contentTypes) {
      const headers = { 'content-type': type, 'content-length': '4' };
      const answer = await app.inject({ method: 'GET', url: '/v1/health', headers, payload: 'null' });
      expect(answer.statusCode).toBe(200);
    }
  });

  it('answers HEAD like GET without the body, with its headers', async () => {
    const answer = await app.inject({ method: 'HEAD', url: '/v1/health' });
    expect(answer.statusCode).toBe(200);
    expect(answer.body).toBe('');
    expect(answer.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.any(String),
    });
  });

  it('starts nothing while it stops', async () => {
    const stopping = await buildApp(makeServices({ stopping: () => true }));
    for (const url of [create, '/f/x']) {
      const answer = await stopping.inject({ method: 'POST', url, payload: {} });
      expect(answer.json()).toMatchObject({ code: 503, type: 'general_server_stopping' });
    }
    await stopping.close();
  });
});

describe('what nobody expected', () => {
  it('is a bare 500 to the client and a line with the cause in the log', async () => {
    const answer = await post({ body: 'private' });
    expect(answer.json()).toEqual({
      message: 'Server Error',
      code: 500,
      type: 'general_unknown',
      version: '0.1.0',
    });
    const line = lines.find(
      ({ msg, requestId }) => msg === 'request failed' && requestId === answer.headers['x-request-id'],
    );
    expect(line).toMatchObject({
      level: 50,
      err: { message: expect.stringContaining('nothing in these tests') },
    });
  });
});

describe('on the socket', () => {
  it.each([
    ['NONSENSE\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(20_000)}\r\n\r\n`, 400],
  ])('answers %.10j… in JSON', async (request, status) => {
    await app.listen({ port: 0, host: '127.0.0.1' }).catch(() => undefined);
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(request);
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    await once(socket, 'close');
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({ code: status, version: '0.1.0' });
  });
});

describe('the log', () => {
  it('has one line for each request, without the query string and secrets', async () => {
    const answer = await app.inject({
      url: '/functions/f/executions/e?token=hidden',
      headers: { 'x-appwrite-key': 'hidden' },
    });
    const mine = lines.filter(({ requestId }) => requestId === answer.headers['x-request-id']);
    expect(mine).toHaveLength(1);
    expect(mine[0]).toMatchObject({
      level: 30,
      method: 'GET',
      path: '/functions/f/executions/e',
      status: 401,
      operation: 'getExecution',
      duration: expect.any(Number),
    });
    expect(JSON.stringify(lines)).not.toContain('hidden');
    expect(JSON.stringify(lines)).not.toContain('private');
  });

  it('has one line for a request whose client left before the answer', async () => {
    await app.listen({ port: 0, host: '127.0.0.1' }).catch(() => undefined);
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
    const requests = lines.length;
    const arrived = once(app.server, 'request');
    socket.write('PUT /f/gone HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\nabc');
    await arrived;
    socket.destroy();
    await vi.waitFor(() => expect(lines.length).toBeGreaterThan(requests));
    expect(lines.slice(requests)).toEqual([
      expect.objectContaining({ path: '/f/gone', status: 499, functionId: 'gone', operation: 'callPut' }),
    ]);
  });

  it('leaves health checks to the debug level', async () => {
    const { headers } = await app.inject('/v1/health');
    expect(lines.some(({ requestId }) => requestId === headers['x-request-id'])).toBe(false);
  });
});
