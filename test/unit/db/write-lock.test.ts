import { expect, test } from 'vitest';
import { BackgroundWriteLock, createWriteLock, MainWriteLock } from '../../../src/db/write-lock.js';

test('either side has the lock alone, and the main side is told when it is free', () => {
  const memory = createWriteLock();
  let told = 0;
  const main = new MainWriteLock(memory);
  const background = new BackgroundWriteLock(memory, () => {
    told += 1;
  });

  const answer = background.with(() => {
    expect(main.tryAcquire()).toBe(false);
    return 'done';
  });
  expect(answer).toBe('done');
  expect(told).toBe(1);
  expect(main.tryAcquire()).toBe(true);
  main.release();

  background.with(() => {});
  expect(told).toBe(1);
});

test('the lock is given back when the work fails', () => {
  const memory = createWriteLock();
  const main = new MainWriteLock(memory);
  const background = new BackgroundWriteLock(memory, () => {});
  expect(() =>
    background.with(() => {
      throw new Error('no room');
    }),
  ).toThrow('no room');
  expect(main.tryAcquire()).toBe(true);
});
