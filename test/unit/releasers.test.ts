import { expect, test } from 'vitest';
import { Releasers } from '../../src/releasers.js';

test('steps run in reverse order, all of them, and the first error comes out', async () => {
  const releasers = new Releasers();
  const ran: string[] = [];
  releasers.add(() => {
    ran.push('first');
  });
  releasers.add(() => {
    ran.push('second');
    throw new Error('late');
  });
  releasers.add(async () => {
    ran.push('third');
    throw new Error('early');
  });
  await expect(releasers.run()).rejects.toThrow('early');
  expect(ran).toEqual(['third', 'second', 'first']);
});

test('nothing runs twice', async () => {
  const releasers = new Releasers();
  let count = 0;
  releasers.add(() => {
    count += 1;
  });
  await releasers.run();
  await releasers.run();
  expect(count).toBe(1);
});
