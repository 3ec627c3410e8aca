import { AppwriteException, Client, ExecutionMethod, Functions, Query } from 'node-appwrite';
import { beforeAll, describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

/** The newest official SDK, unmodified, against a real server. */
const KEY = 'the-key-of-this-test';

let server: TestServer;
let functions: Functions;
let guest: Functions;

const client = () => new Client().setEndpoint(`${server.url}/v1`).setProject('default');

beforeAll(async () => {
  server = await startServer({
    apiKey: KEY,
    functions: {
      echo: `export default async ({ req, res, log }) => {
        log('echo', req.path);
        return res.json({ body: req.bodyText, path: req.path, query: req.query, method: req.method, headers: req.headers });
      }`,
      status: `export default ({ req, res }) => res.text('status', Number(req.query.code))`,
      private: 'export default ({ res }) => res.empty()',
    },
    functionSettings: { private: { execute: ['users'] } },
  });
  functions = new Functions(client().setKey(KEY));
  guest = new Functions(client());
});

async function failure(promise: Promise<unknown>): Promise<{ code: number; type: string; message: string }> {
  const error = await promise.then(
    () => null,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(AppwriteException);
  return { code: error.code, type: error.type, message: error.message };
}

describe('createExecution', () => {
  test('waits for the answer and gives back body, path, method and headers as the function saw them', async () => {
    const execution = await functions.createExecution({
      functionId: 'echo',
      body: 'grüße',
      async: false,
      xpath: '/a/b?x=1&y=two',
      method: ExecutionMethod.PATCH,
      headers: { 'x-custom': 'yes', 'content-type': 'text/plain' },
    });
    expect(execution).toMatchObject({
      functionId: 'echo',
      trigger: 'http',
      status: 'completed',
      requestMethod: 'PATCH',
      requestPath: '/a/b?x=1&y=two',
      responseStatusCode: 200,
      logs: 'echo /a/b\n',
      errors: '',
    });
    expect(execution.$id).toMatch(/^[0-9a-f]{20}$/);
    expect(execution.$createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/);
    expect(execution.duration).toBeGreaterThan(0);
    expect(execution.requestHeaders).toContainEqual({ name: 'content-type', value: 'text/plain' });
    expect(execution.responseHeaders).toContainEqual({
      name: 'x-appwrite-execution-id',
      value: execution.$id,
    });
    const seen = JSON.parse(execution.responseBody);
    expect(seen).toMatchObject({
      body: 'grüße',
      path: '/a/b',
      query: { x: '1', y: 'two' },
      method: 'PATCH',
      headers: { 'x-custom': 'yes', 'x-appwrite-trigger': 'http', 'x-appwrite-execution-id': execution.$id },
    });
  });

  test('defaults: POST for this SDK, path /, empty body', async () => {
    const execution = await functions.createExecution({ functionId: 'echo' });
    expect(JSON.parse(execution.responseBody)).toMatchObject({ body: '', path: '/', method: 'POST' });
  });

  test('in the background: accepted as waiting, completed in the end, with its logs', async () => {
    const accepted = await functions.createExecution({
      functionId: 'echo',
      body: 'later',
      async: true,
      xpath: '/later',
    });
    expect(accepted).toMatchObject({ status: 'waiting', responseStatusCode: 0, responseBody: '', logs: '' });
    const ended = await waitFor('the execution ends', async () => {
      const execution = await functions.getExecution({ functionId: 'echo', executionId: accepted.$id });
      return execution.status === 'completed' ? execution : null;
    });
    expect(ended).toMatchObject({ responseStatusCode: 200, responseBody: '', logs: 'echo /later\n' });
  });

  test('a function that answers 404 has completed, one that answers 500 has failed', async () => {
    const run = (code: number) =>
      functions.createExecution({ functionId: 'status', xpath: `/?code=${code}` });
    expect(await run(404)).toMatchObject({
      status: 'completed',
      responseStatusCode: 404,
      responseBody: 'status',
    });
    expect(await run(500)).toMatchObject({
      status: 'failed',
      responseStatusCode: 500,
      responseBody: 'status',
    });
  });

  test('a guest may run what anybody may, and sees no logs', async () => {
    const execution = await guest.createExecution({ functionId: 'echo' });
    expect(execution).toMatchObject({ status: 'completed', logs: '', errors: '' });
  });
});

describe('errors', () => {
  test.each([
    [
      'an unknown function',
      () => functions.createExecution({ functionId: 'nope' }),
      404,
      'function_not_found',
    ],
    [
      'a role the caller lacks',
      () => guest.createExecution({ functionId: 'private' }),
      401,
      'user_unauthorized',
    ],
    [
      'a header that is ours',
      () => functions.createExecution({ functionId: 'echo', headers: { 'X-Appwrite-Key': 'a' } }),
      400,
      'general_argument_invalid',
    ],
    [
      'a method that does not exist',
      () => functions.createExecution({ functionId: 'echo', method: 'BREW' as ExecutionMethod }),
      400,
      'general_argument_invalid',
    ],
    [
      'a schedule without async',
      () => functions.createExecution({ functionId: 'echo', scheduledAt: '2999-01-01T00:00:00.000Z' }),
      400,
      'general_bad_request',
    ],
    [
      'an unknown execution',
      () => functions.getExecution({ functionId: 'echo', executionId: 'nope' }),
      404,
      'execution_not_found',
    ],
    [
      'an execution of another function',
      async () => {
        const { $id } = await functions.createExecution({ functionId: 'echo' });
        await functions.getExecution({ functionId: 'status', executionId: $id });
      },
      404,
      'execution_not_found',
    ],
    [
      'a guest who lists',
      () => guest.listExecutions({ functionId: 'echo' }),
      401,
      'general_unauthorized_scope',
    ],
    [
      'a guest who deletes',
      () => guest.deleteExecution({ functionId: 'echo', executionId: 'x' }),
      401,
      'general_unauthorized_scope',
    ],
    [
      'a cursor that names nothing',
      () => functions.listExecutions({ functionId: 'echo', queries: [Query.cursorAfter('nope')] }),
      400,
      'general_cursor_not_found',
    ],
    [
      'a query on an unknown attribute',
      () => functions.listExecutions({ functionId: 'echo', queries: [Query.equal('nope', ['x'])] }),
      400,
      'general_argument_invalid',
    ],
    [
      'a wrong key',
      () => new Functions(client().setKey('wrong')).listExecutions({ functionId: 'echo' }),
      401,
      'user_unauthorized',
    ],
    [
      'another project',
      () => new Functions(client().setProject('other').setKey(KEY)).listExecutions({ functionId: 'echo' }),
      404,
      'project_not_found',
    ],
    [
      'a user token',
      () => new Functions(client().setJWT('a.b.c')).createExecution({ functionId: 'echo' }),
      401,
      'user_jwt_invalid',
    ],
  ])('%s', async (_name, call, code, type) => {
    expect(await failure(call())).toMatchObject({ code, type });
  });
});

describe('listExecutions', () => {
  let ids: string[];

  beforeAll(async () => {
    ids = [];
    for (const code of [200, 201, 404, 500, 503, 200]) {
      const { $id } = await functions.createExecution({ functionId: 'status', xpath: `/list?code=${code}` });
      ids.push($id);
    }
  });

  const list = async (...queries: string[]) => {
    const mine = Query.equal(
      'requestPath',
      ['200', '201', '404', '500', '503'].map((code) => `/list?code=${code}`),
    );
    const { total, executions } = await functions.listExecutions({
      functionId: 'status',
      queries: [mine, ...queries],
    });
    return { total, ids: executions.map(({ $id }) => ids.indexOf($id)) };
  };

  test('limit and offset', async () => {
    expect(await list()).toEqual({ total: 6, ids: [0, 1, 2, 3, 4, 5] });
    expect(await list(Query.limit(2), Query.offset(3))).toEqual({ total: 6, ids: [3, 4] });
  });

  test('order', async () => {
    expect(await list(Query.orderDesc('$createdAt'), Query.limit(3))).toEqual({ total: 6, ids: [5, 4, 3] });
    expect(await list(Query.orderDesc('responseStatusCode'), Query.limit(2))).toMatchObject({ ids: [4, 3] });
  });

  test('equal and greaterThan', async () => {
    expect(await list(Query.equal('status', ['failed']))).toEqual({ total: 2, ids: [3, 4] });
    expect(await list(Query.greaterThan('responseStatusCode', 404))).toEqual({ total: 2, ids: [3, 4] });
    expect(await list(Query.equal('responseStatusCode', [200]))).toEqual({ total: 2, ids: [0, 5] });
  });

  test('cursors in both directions', async () => {
    expect(await list(Query.cursorAfter(ids[2]!), Query.limit(2))).toEqual({ total: 6, ids: [3, 4] });
    expect(await list(Query.cursorBefore(ids[2]!), Query.limit(1))).toEqual({ total: 6, ids: [1] });
    expect(await list(Query.orderDesc('$createdAt'), Query.cursorAfter(ids[2]!))).toMatchObject({
      ids: [1, 0],
    });
  });

  test('without a total', async () => {
    const { total, executions } = await functions.listExecutions({ functionId: 'status', total: false });
    expect(total).toBe(0);
    expect(executions.length).toBeGreaterThan(5);
  });
});

describe('the rest', () => {
  test('deleteExecution removes the record', async () => {
    const { $id } = await functions.createExecution({ functionId: 'echo' });
    await functions.deleteExecution({ functionId: 'echo', executionId: $id });
    expect(await failure(functions.getExecution({ functionId: 'echo', executionId: $id }))).toMatchObject({
      type: 'execution_not_found',
    });
  });

  test('list and get functions', async () => {
    const { total, functions: all } = await functions.list();
    expect(total).toBe(3);
    expect(all.map(({ $id }) => $id).sort()).toEqual(['echo', 'private', 'status']);
    expect(await functions.get({ functionId: 'private' })).toMatchObject({
      $id: 'private',
      execute: ['users'],
    });
  });

  test('listRuntimes has the server’s own', async () => {
    const { runtimes } = await functions.listRuntimes();
    expect(runtimes.map(({ name }) => name)).toContain('Node.js');
  });
});
