import { expect, test } from 'vitest';
import { AsyncBrake } from '../../../src/engine/async-brake.js';

/** How many executions it lets start now, up to a thousand. */
function starts(brake: AsyncBrake): number {
  let count = 0;
  while (brake.isOpen && count < 1_000) {
    brake.take();
    count += 1;
  }
  return count;
}
const arrive = (brake: AsyncBrake, count: number) => {
  for (let i = 0; i < count; i++) brake.arrived();
};

test('it is open while little arrives and the server has time', () => {
  const brake = new AsyncBrake();
  arrive(brake, 40);
  expect(starts(brake)).toBe(1_000);
  brake.tick(0.6, 20);
  expect(starts(brake)).toBe(1_000);
});

test('a burst is noticed while it begins, and a few go on all the same', () => {
  const brake = new AsyncBrake();
  arrive(brake, 41);
  expect(starts(brake)).toBe(16);
  brake.tick(0.6, 20);
  expect(starts(brake)).toBe(16);
  brake.tick(0.6, 40);
  expect(starts(brake)).toBe(1_000);
});

test('what was accepted takes all of the time when nothing else comes', () => {
  const brake = new AsyncBrake();
  arrive(brake, 100);
  brake.tick(1, 20);
  expect(starts(brake)).toBe(16);
  brake.tick(1, 40);
  expect(starts(brake)).toBe(1_000);
  arrive(brake, 1);
  brake.tick(1, 60);
  expect(starts(brake)).toBe(16);
});

test('a server without time is braked whatever arrives, but not for ever', () => {
  const brake = new AsyncBrake();
  for (let now = 0; now <= 2_000; now += 20) {
    arrive(brake, 100);
    brake.tick(0.95, now);
    expect(starts(brake)).toBe(16);
  }
  for (const now of [2_020, 2_040]) {
    arrive(brake, 100);
    brake.tick(0.95, now);
    arrive(brake, 100);
    expect(starts(brake)).toBe(1_000);
  }
  // Once the server had time, the next burst goes first again.
  brake.tick(0.1, 2_060);
  arrive(brake, 100);
  expect(starts(brake)).toBe(16);
});

test('it opens when nothing runs or waits, and once closed never again', () => {
  const brake = new AsyncBrake();
  arrive(brake, 100);
  brake.release();
  expect(starts(brake)).toBe(1_000);
  brake.close();
  brake.release();
  brake.tick(0, 20);
  expect(starts(brake)).toBe(0);
});
