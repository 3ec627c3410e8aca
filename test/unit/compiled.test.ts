import { expect, test } from 'vitest';
import { compiledFile } from '../../src/compiled.js';

test.each([
  ['file:///a/dist/db/x.js', '/a/dist/db/w.js'],
  ['file:///a/src/db/x.ts', '/a/dist/db/w.js'],
  ['file:///usr/src/a/src/db/x.ts', '/usr/src/a/dist/db/w.js'],
])('the thread of %s is %s', (from, file) => {
  expect(compiledFile(from, './w.js')).toBe(file);
});
