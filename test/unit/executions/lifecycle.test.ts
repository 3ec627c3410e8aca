import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { INTERRUPTED } from '../../../src/executions/lifecycle.js';
import { newExecution, openRecords, type Records, response } from './helpers.js';

let records: Records;
beforeEach(async () => {
  records = await openRecords();
});
afterEach(() => records.close());

const inputs = () => records.database.sqlite.prepare('SELECT count(*) FROM execution_inputs').pluck().get();

async function admitAsync(changes = {}) {
  const record = newExecution(changes);
  await records.lifecycle.admitAsync(record, {
    headers: { a: 'b' },
    body: Buffer.from([0, 255]),
  });
  return { seq: record.seq, id: record.id };
}
const room = { count: 10, bytes: 1_000, isUrgent: true };
const waiting = async () => (await records.store.waiting('f', 0, room)).items;
const status = async (id: string) => (await records.store.get(id))?.status;

describe('an async execution', () => {
  test('waits with what it needs, starts, and ends without it', async () => {
    const { seq, id } = await admitAsync();
    expect(await status(id)).toBe('waiting');
    expect(await waiting()).toEqual([
      {
        seq,
        id,
        trigger: 'http',
        requestMethod: 'GET',
        requestPath: '/',
        requestHeaders: [],
        headers: { a: 'b' },
        body: Buffer.from([0, 255]),
      },
    ]);
    await records.lifecycle.start([seq], 'other');
    expect(await records.store.get(id)).toMatchObject({ status: 'processing', deploymentId: 'other' });
    expect(inputs()).toBe(1);
    await records.lifecycle.end(seq, response({ logs: 'a\n' }), true);
    expect(await records.store.get(id)).toMatchObject({
      status: 'completed',
      logs: 'a\n',
      duration: 0.012346,
    });
    expect(inputs()).toBe(0);
  });

  test('goes back to waiting with its deployment kept', async () => {
    const { seq, id } = await admitAsync();
    await records.lifecycle.start([seq], 'd2');
    await records.lifecycle.takeBack([seq]);
    expect(await records.store.get(id)).toMatchObject({ status: 'waiting', deploymentId: 'd2' });
    expect(await waiting()).toHaveLength(1);
  });
});

test('waiting executions are read while there is room for their bodies, and one in any case', async () => {
  for (let i = 0; i < 5; i++) await admitAsync();
  const read = (count: number, bytes: number, afterSeq = 0) =>
    records.store.waiting('f', afterSeq, { count, bytes, isUrgent: true });
  const sizes = async (page: ReturnType<typeof read>) => {
    const { items, end } = await page;
    return [items.length, end];
  };
  expect(await sizes(read(10, 1_000))).toEqual([5, 'all']);
  expect(await sizes(read(5, 1_000))).toEqual([5, 'more']);
  expect(await sizes(read(10, 4))).toEqual([2, 'more']);
  expect(await sizes(read(10, 0))).toEqual([1, 'more']);
  expect(await sizes(read(10, 1_000, 5))).toEqual([0, 'all']);
});

test('waiting executions that are not needed yet are not waited for', async () => {
  for (let i = 0; i < 3; i++) await admitAsync();
  await records.store.settle();
  await admitAsync();
  const { items, end } = await records.store.waiting('f', 0, { ...room, isUrgent: false });
  expect(items.length).toBeGreaterThanOrEqual(3);
  expect(end).toBe('so far');
  expect(await waiting()).toHaveLength(4);
});

test('a sync execution is processing from the start and stores no input', async () => {
  const record = newExecution();
  await records.lifecycle.admitSync(record);
  expect(await status(record.id)).toBe('processing');
  expect(inputs()).toBe(0);
});

test.each([
  [response({ status: 404 }), 'completed'],
  [response({ status: 499 }), 'completed'],
  [response({ status: 500 }), 'failed'],
  [response({ status: 200, cause: 'failure' }), 'failed'],
  [response({ status: 500, cause: 'limit' }), 'failed'],
])('how it ends decides the status: %#', async (outcome, expected) => {
  const { seq, id } = await admitAsync();
  await records.lifecycle.start([seq], 'd');
  await records.lifecycle.end(seq, outcome, true);
  expect(await status(id)).toBe(expected);
});

test('what has ended stays as it ended', async () => {
  const { seq, id } = await admitAsync();
  await records.lifecycle.start([seq], 'd');
  await records.lifecycle.end(seq, response({ logs: 'first' }), true);
  await records.lifecycle.end(seq, response({ status: 500, logs: 'second' }), true);
  await records.lifecycle.start([seq], 'd');
  await records.lifecycle.takeBack([seq]);
  expect(await records.store.get(id)).toMatchObject({ status: 'completed', logs: 'first' });
});

test('without logging neither logs nor errors are kept; of the headers only the contract’s', async () => {
  const { seq, id } = await admitAsync();
  const headers: [string, string][] = [
    ['content-type', 'text/plain'],
    ['set-cookie', 'secret=1'],
    ['content-length', '3'],
  ];
  await records.lifecycle.end(seq, response({ headers, logs: 'a', errors: 'b' }), false);
  expect(await records.store.get(id)).toMatchObject({
    logs: '',
    errors: '',
    responseHeaders: [
      ['content-type', 'text/plain'],
      ['content-length', '3'],
    ],
  });
});

test('at start, what was processing is ended and what waited still waits', async () => {
  const running = await Promise.all(Array.from({ length: 1_203 }, () => admitAsync()));
  await records.lifecycle.start(
    running.map(({ seq }) => seq),
    'd',
  );
  const waiting = await admitAsync();
  expect(await records.lifecycle.endInterrupted()).toBe(1_203);
  for (const { id } of [running[0]!, running.at(-1)!]) {
    expect(await records.store.get(id)).toMatchObject({
      status: 'failed',
      responseStatusCode: 500,
      errors: INTERRUPTED,
    });
  }
  expect(await status(waiting.id)).toBe('waiting');
  expect(inputs()).toBe(1);
});
