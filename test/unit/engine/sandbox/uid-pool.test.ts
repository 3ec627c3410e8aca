import { expect, test } from 'vitest';
import { FIRST_UID, UID_COUNT, UidPool } from '../../../../src/engine/sandbox/uid-pool.js';

test('no id is handed out twice before it is given back', () => {
  const pool = new UidPool();
  const taken = Array.from({ length: UID_COUNT }, () => pool.take());
  expect(new Set(taken).size).toBe(UID_COUNT);
  expect(Math.min(...taken)).toBe(FIRST_UID);
  expect(() => pool.take()).toThrow('in use');
  pool.giveBack(FIRST_UID + 7);
  expect(pool.take()).toBe(FIRST_UID + 7);
});

test('the id that was given back last is not the next one', () => {
  const pool = new UidPool();
  const first = pool.take();
  pool.giveBack(first);
  expect(pool.take()).toBe(first + 1);
});
