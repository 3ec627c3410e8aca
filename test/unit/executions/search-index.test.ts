import { afterEach, beforeEach, expect, test } from 'vitest';
import { SearchIndex } from '../../../src/executions/search-index.js';
import { SearchStore } from '../../../src/executions/search-store.js';
import { newExecution, openRecords, type Records, response } from './helpers.js';

let records: Records;
let store: SearchStore;
beforeEach(async () => {
  records = await openRecords();
  store = new SearchStore(records.database, records.journal);
});
afterEach(() => records.close());

const rethrow = (error: unknown): never => {
  throw error;
};

async function admit(path = '/'): Promise<number> {
  const execution = newExecution({ requestPath: path });
  await records.lifecycle.admitAsync(execution, { headers: {}, body: Buffer.alloc(0) });
  return execution.seq;
}

const find = (words: string) =>
  records.database.sqlite
    .prepare('SELECT rowid FROM execution_search WHERE execution_search MATCH ? ORDER BY rowid')
    .pluck()
    .all(words);

/** An index as a server process makes it at its start, without its timers. */
async function openIndex(): Promise<{ run(): Promise<void> }> {
  const index = new SearchIndex(store, rethrow);
  await index.start();
  await index.stop();
  return {
    run: async () => {
      await records.journal.settle();
      while (await index.step()) {
        // until it has caught up
      }
    },
  };
}

test('finds path, logs and errors of what has ended, and what ends later', async () => {
  const index = await openIndex();
  const [first, second] = [await admit('/orders/17'), await admit('/invoices')];
  await records.lifecycle.end(second, response({ logs: 'paid by card', errors: 'stack overflow' }), true);
  await index.run();
  expect(find('invoices')).toEqual([second]);
  expect(find('card')).toEqual([second]);
  expect(find('overflow')).toEqual([second]);
  expect(find('orders')).toEqual([]);
  await records.lifecycle.end(first, response(), true);
  await index.run();
  expect(find('orders')).toEqual([first]);
});

test('goes on after a restart where nothing is missing, and doubles nothing', async () => {
  const before = await openIndex();
  const running = await admit('/slow');
  const ended: number[] = [];
  for (let i = 0; i < 250; i++) {
    const seq = await admit('/quick');
    await records.lifecycle.end(seq, response(), true);
    ended.push(seq);
  }
  await before.run();
  expect(await store.mark()).toBe(running - 1);
  await records.lifecycle.end(running, response(), true);
  const after = await openIndex();
  await after.run();
  expect(find('slow')).toEqual([running]);
  expect(find('quick')).toEqual(ended);
  expect(await store.mark()).toBe(ended.at(-1));
});

test('a deleted execution is no longer found', async () => {
  const index = await openIndex();
  const seq = await admit('/gone');
  await records.lifecycle.end(seq, response(), true);
  await index.run();
  await records.store.delete([seq]);
  expect(find('gone')).toEqual([]);
  // One that never was in the index can be deleted just so.
  const other = await admit('/never');
  await records.lifecycle.end(other, response(), true);
  await records.store.delete([other]);
  await index.run();
  expect(find('never')).toEqual([]);
});
