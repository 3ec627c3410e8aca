import { expect, test } from 'vitest';
import type { ExecutionModel } from '../support/request.js';
import { startServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

const FUNCTIONS = {
  // Every run leaves its mark in the log, so a second one would show.
  work: `export default async ({ req, res, log }) => {
    log('run');
    await new Promise((r) => setTimeout(r, Math.random() * 20));
    return res.text('done');
  }`,
};

const ENDED = new Set(['completed', 'failed']);

test('after kill -9 every accepted execution is on record, ends, and none runs twice', async () => {
  const server = await startServer({ functions: FUNCTIONS });
  const accepted = new Set<string>();
  for (let round = 0; round < 4; round++) {
    let crashed = false;
    const clients = Array.from({ length: 8 }, async (_, client) => {
      while (!crashed) {
        const answer = await server.execute('work', { async: client % 2 === 0 }).catch(() => null);
        if (answer && answer.status < 300) accepted.add(answer.body.$id);
      }
    });
    const goal = accepted.size + 60;
    await waitFor('executions are accepted', () => accepted.size >= goal);
    crashed = true;
    await Promise.all([server.kill(), ...clients]);
    await server.start();
  }
  const records = new Map<string, ExecutionModel>();
  await waitFor(
    'all have ended',
    async () => {
      for (const id of accepted) {
        if (records.has(id)) continue;
        const record = await server.getExecution('work', id);
        if (!ENDED.has(record.status)) return false;
        records.set(id, record);
      }
      return true;
    },
    60_000,
  );
  for (const record of records.values()) {
    if (record.status === 'completed')
      expect(record).toMatchObject({ logs: 'run\n', responseStatusCode: 200 });
    else expect(record.errors).toMatch(/The server stopped while this execution ran/);
  }
  // Nothing is left over, known to a client or not.
  const open = [{ method: 'equal', attribute: 'status', values: ['waiting', 'processing'] }];
  await waitFor('nothing is left open', async () => (await server.listExecutions('work', open)).total === 0);
}, 120_000);

test('what waited before a crash runs, although new executions come at once', async () => {
  const server = await startServer({
    functions: {
      slow: `export default async ({ req, res, log }) => {
        await new Promise((r) => setTimeout(r, 30));
        return res.text('done');
      }`,
    },
  });
  const ids: string[] = [];
  for (let i = 0; i < 150; i++) ids.push((await server.execute('slow', { async: true })).body.$id);
  const { url } = server;
  await server.kill();
  server.launch({ PORT: new URL(url).port });
  const create = (isAsync: boolean) =>
    fetch(`${url}/v1/functions/slow/executions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-appwrite-key': server.apiKey! },
      body: JSON.stringify({ async: isAsync }),
    });
  // Over and over, so that one comes as soon as the port is open, whatever the server does then.
  const late = await Promise.all(
    [true, false].map(async (isAsync) => {
      for (;;) {
        const answer = await create(isAsync).catch(() => null);
        if (answer) return { status: answer.status, execution: (await answer.json()) as ExecutionModel };
      }
    }),
  );
  expect(late).toMatchObject([{ status: 202 }, { status: 201, execution: { status: 'completed' } }]);
  await waitFor('the server says that it listens', () => server.url !== '');
  const open = [{ method: 'equal', attribute: 'status', values: ['waiting', 'processing'] }];
  await waitFor(
    'all have ended',
    async () => (await server.listExecutions('slow', open)).total === 0,
    30_000,
  );
  const ended = await Promise.all(ids.map((id) => server.getExecution('slow', id)));
  for (const { status, errors } of ended) {
    if (status !== 'completed') expect(errors).toMatch(/The server stopped while this execution ran/);
  }
  expect(ended.filter(({ status }) => status === 'completed').length).toBeGreaterThan(100);
}, 60_000);
