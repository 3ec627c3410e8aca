import { expect, test } from 'vitest';
import { newId } from '../../src/ids.js';

test('ids are 20 hex characters, in the order of their making, and all different', () => {
  const ids = Array.from({ length: 20_000 }, newId);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{20}$/);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});

test('the first eight characters are the second of its making', () => {
  const before = Math.floor(Date.now() / 1000);
  const seconds = Number.parseInt(newId().slice(0, 8), 16);
  // Ids made in a burst run a little ahead of the clock.
  expect(seconds).toBeGreaterThanOrEqual(before);
  expect(seconds).toBeLessThanOrEqual(before + 60);
});
