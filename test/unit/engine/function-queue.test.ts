import { describe, expect, test } from 'vitest';
import { Fifo, FunctionQueue } from '../../../src/engine/function-queue.js';
import type { Job, Target } from '../../../src/engine/types.js';

const target: Target = {
  functionId: 'f',
  deploymentId: 'd',
  codeDirectory: '/',
  entrypoint: 'main.js',
  startFile: 'main.js',
  env: {},
  memoryMegabytes: 64,
};

const job = (seq: number, sync = false): Job => ({
  seq,
  id: String(seq),
  functionId: 'f',
  sync,
  method: 'GET',
  path: '/',
  headers: {},
  body: Buffer.alloc(10),
  timeoutMs: 1_000,
  logging: true,
  deadline: Number.POSITIVE_INFINITY,
});

const drain = (queue: FunctionQueue): number[] => {
  const seqs: number[] = [];
  for (let next = queue.shift(); next; next = queue.shift()) seqs.push(next.seq);
  return seqs;
};

test('a fifo keeps its order through pushes, shifts and returns', () => {
  const fifo = new Fifo<number>();
  const expected: number[] = [];
  for (let i = 0; i < 5_000; i++) {
    fifo.push(i);
    expected.push(i);
    if (i % 3 === 0) expect(fifo.shift()).toBe(expected.shift());
    if (i % 7 === 0) {
      fifo.unshift(-i);
      expected.unshift(-i);
    }
    expect(fifo.length).toBe(expected.length);
    expect(fifo.peek()).toBe(expected[0]);
  }
  while (expected.length > 0) expect(fifo.shift()).toBe(expected.shift());
  expect(fifo.shift()).toBeUndefined();
});

describe('a function queue', () => {
  test('gives sync executions first, and what came back before the others', () => {
    const queue = new FunctionQueue('f', target);
    queue.pushAsync(job(1));
    queue.pushSync(job(2, true));
    queue.pushSync(job(3, true));
    expect(queue.syncBytes).toBe(20);
    const first = queue.shift()!;
    expect(first.seq).toBe(2);
    queue.unshift([first, job(9)]);
    expect(drain(queue)).toEqual([2, 3, 9, 1]);
    expect(queue.syncBytes).toBe(0);
  });

  test('hands over ahead only while executions are known to be short', () => {
    const queue = new FunctionQueue('f', target);
    expect(queue.ahead).toBe(1);
    queue.observe(1);
    expect(queue.ahead).toBe(16);
    queue.observe(500);
    queue.observe(1);
    expect(queue.ahead).toBe(1);
    for (let i = 0; i < 30; i++) queue.observe(1);
    expect(queue.ahead).toBe(16);
    for (let i = 0; i < 30; i++) queue.observe(0.01);
    expect(queue.ahead).toBe(32);
  });

  test('holds few large bodies in memory, but always one', () => {
    const queue = new FunctionQueue('f', target);
    const large = (seq: number): Job => ({ ...job(seq), body: Buffer.alloc(5 * 1024 * 1024) });
    for (let seq = 1; seq <= 10; seq++) queue.pushAsync(large(seq));
    expect(queue.async.length).toBe(1);
    expect(queue.wantsMore).toBe(false);
    queue.shift();
    expect(queue.wantsMore).toBe(true);
    expect(queue.beginLoad()).toEqual({ count: 256, bytes: 8 * 1024 * 1024, isUrgent: true });
    queue.endLoad({ items: [large(2), large(3)], end: 'more' });
    expect(queue.wantsMore).toBe(false);
    expect(drain(queue)).toEqual([2, 3]);
    expect(queue.wantsMore).toBe(true);
  });

  test('leaves in the database what does not fit, and loses and doubles nothing on the way back', () => {
    const queue = new FunctionQueue('f', target);
    const database = new Set<number>();
    const ran: number[] = [];
    let made = 0;
    const accept = () => {
      made += 1;
      database.add(made);
      queue.pushAsync(job(made));
    };
    const load = (meanwhile: () => void) => {
      if (!queue.wantsMore) return;
      const room = queue.beginLoad();
      // The tables are behind what was accepted, unless it is urgent.
      const upTo = room.isUrgent ? made : made - 50;
      const read = [...database].filter((seq) => seq > queue.lastSeq && seq <= upTo).slice(0, room.count);
      meanwhile();
      const end = read.length === room.count ? 'more' : room.isUrgent ? 'all' : 'so far';
      queue.endLoad({ items: read.map((seq) => job(seq)), end });
    };
    for (let i = 0; i < 6_000; i++) accept();
    while (queue.size > 0 || queue.wantsMore) {
      const next = queue.shift();
      if (next) {
        ran.push(next.seq);
        database.delete(next.seq);
        queue.held.delete(next.seq);
      }
      load(() => made < 6_200 && accept());
      if (ran.length % 100 === 0) queue.refresh();
    }
    expect(ran).toEqual(Array.from({ length: made }, (_, i) => i + 1));
    expect(made).toBeGreaterThan(6_000);
    expect(queue.spilled).toBe(false);
  });
});
