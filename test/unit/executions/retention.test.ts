import { afterEach, beforeEach, expect, test } from 'vitest';
import { Retention } from '../../../src/executions/retention.js';
import { newExecution, openRecords, type Records, response } from './helpers.js';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 5, 15);

let records: Records;
beforeEach(async () => {
  records = await openRecords();
});
afterEach(() => records.close());

const rethrow = (error: unknown): never => {
  throw error;
};

async function add(age: number, ended: boolean): Promise<string> {
  const record = newExecution({ createdAt: NOW - age });
  await records.lifecycle.admitAsync(record, { headers: {}, body: Buffer.alloc(0) });
  if (ended) await records.lifecycle.end(record.seq, response({ logs: 'text' }), true);
  return record.id;
}

const count = (table: string) =>
  records.database.sqlite.prepare(`SELECT count(*) FROM ${table}`).pluck().get();

test('what ended longer ago goes with all that belongs to it; the rest stays', async () => {
  const old = [];
  for (let i = 0; i < 450; i++) old.push(add(40 * DAY, true));
  await Promise.all(old);
  const stays = [await add(40 * DAY, false), await add(29 * DAY, true), await add(0, true)];
  await records.store.settle();
  await new Retention(records.store, 30, rethrow).sweep(NOW);
  expect(count('executions')).toBe(3);
  expect(count('execution_outputs')).toBe(2);
  expect(count('execution_inputs')).toBe(1);
  for (const id of stays) expect(await records.store.get(id)).not.toBeNull();
});

test('0 days keeps everything', async () => {
  const id = await add(10_000 * DAY, true);
  const retention = new Retention(records.store, 0, rethrow);
  retention.start();
  await retention.stop();
  expect(await records.store.get(id)).not.toBeNull();
});
