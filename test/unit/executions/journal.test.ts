import { afterEach, beforeEach, expect, test } from 'vitest';
import { Writer } from '../../../src/db/writer.js';
import { Journal } from '../../../src/executions/journal.js';
import { ExecutionStore } from '../../../src/executions/store.js';
import { newExecution, openRecords, type Records, response } from './helpers.js';

let records: Records;
beforeEach(async () => {
  records = await openRecords();
});
afterEach(() => records.close());

const journalRows = () =>
  records.database.sqlite.prepare('SELECT count(*) FROM execution_journal').pluck().get() as number;

const input = (body: string | Buffer) => ({ headers: { a: 'b' }, body: Buffer.from(body) });

async function admit(body: string | Buffer = ''): Promise<number> {
  const execution = newExecution();
  await records.lifecycle.admitAsync(execution, input(body));
  return execution.seq;
}

test('what was written is on disk at once and in the tables after settle, and then the journal is empty', async () => {
  const execution = newExecution();
  const written = records.lifecycle.admitAsync(execution, input(''));
  await written;
  await records.journal.settle();
  expect(journalRows()).toBe(0);
  const seq = records.database.sqlite.prepare('SELECT seq FROM executions WHERE id = ?').pluck();
  expect(seq.get(execution.id)).toBe(execution.seq);
});

test('entries of one turn share one row', async () => {
  let rows = 0;
  records.database.sqlite.function('count_row', () => {
    rows += 1;
    return rows;
  });
  records.database.sqlite.exec(
    'CREATE TEMP TRIGGER rows AFTER INSERT ON execution_journal BEGIN SELECT count_row(); END',
  );
  await Promise.all(Array.from({ length: 20 }, () => admit()));
  expect(rows).toBe(1);
});

test.each([
  ['text', Buffer.from('ä\n\u2028"\\\0')],
  ['bytes that are no text', Buffer.from([0, 255, 10, 13, 192])],
  ['nothing', Buffer.alloc(0)],
  ['more than a row takes', Buffer.alloc(5 * 1024 * 1024, 7)],
])('a body comes out as it went in: %s', async (_name, body) => {
  const [seq] = await Promise.all([admit(body), admit('neighbour')]);
  await records.journal.settle();
  const stored = records.database.sqlite.prepare('SELECT body FROM execution_inputs WHERE seq = ?').pluck();
  // Compared as buffers: the matcher looks at each byte of five million.
  expect(body.equals(stored.get(seq) as Buffer)).toBe(true);
});

test('a whole life in one slice, and one spread over several, leave the same record', async () => {
  const life = async (settle: () => Promise<void>) => {
    const execution = newExecution({ createdAt: 1, updatedAt: 1 });
    await records.lifecycle.admitAsync(execution, input('x'));
    await settle();
    await records.lifecycle.start([execution.seq], 'other');
    await settle();
    await records.lifecycle.takeBack([execution.seq]);
    await settle();
    await records.lifecycle.start([execution.seq], 'third');
    await settle();
    const ending = await records.lifecycle.end(execution.seq, response({ logs: 'a', errors: 'b' }), true);
    const { id, seq, updatedAt, ...rest } = (await records.store.get(execution.id))!;
    expect(id).toBe(execution.id);
    expect(seq).toBe(execution.seq);
    expect(updatedAt).toBe(ending.at);
    return rest;
  };
  const atOnce = await life(async () => {});
  expect(await life(() => records.journal.settle())).toEqual(atOnce);
  expect(atOnce).toMatchObject({ status: 'completed', deploymentId: 'third', logs: 'a', errors: 'b' });
});

test('a start brings what a crash has left in the journal into the tables, and counts on from there', async () => {
  const last = await admit();
  await records.journal.close();
  const left = newExecution({ seq: last + 1 });
  const entry = [
    'admit',
    left.seq,
    left.id,
    'f',
    'd',
    'http',
    'waiting',
    1,
    null,
    null,
    'GET',
    '/',
    [],
    {},
    'x',
    false,
  ];
  records.database.sqlite
    .prepare('INSERT INTO execution_journal (entries) VALUES (?)')
    .run(
      `${JSON.stringify(entry)}\n${JSON.stringify(['status', [left.seq], 'waiting', 'processing', null, 2])}`,
    );
  const journal = await Journal.open(records.database, new Writer(records.database.sqlite), {
    onSkipped: () => expect.unreachable(),
    onLost: () => expect.unreachable(),
  });
  expect(journalRows()).toBe(0);
  expect(journal.nextSeq()).toBe(left.seq + 1);
  const store = new ExecutionStore(records.database, journal);
  expect(await store.get(left.id)).toMatchObject({ seq: left.seq, status: 'processing', updatedAt: 2 });
  await journal.close();
});

test('an entry that a constraint forbids is told of and holds nothing else up', async () => {
  await admit();
  await records.journal.close();
  const skipped: number[] = [];
  const journal = await Journal.open(records.database, new Writer(records.database.sqlite), {
    onSkipped: (seq) => skipped.push(seq),
    onLost: () => expect.unreachable(),
  });
  const store = new ExecutionStore(records.database, journal);
  const first = newExecution();
  const twin = newExecution({ id: first.id });
  const other = newExecution();
  await Promise.all([first, twin, other].map((execution) => store.insert(execution, null)));
  expect(await store.get(other.id)).toMatchObject({ seq: other.seq });
  expect(await store.get(first.id)).toMatchObject({ seq: first.seq });
  expect(skipped).toEqual([twin.seq]);
  await journal.close();
});

test('after it was closed nothing is taken any more', async () => {
  await records.journal.close();
  await expect(admit()).rejects.toThrow('closed');
});
