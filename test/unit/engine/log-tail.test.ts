import { expect, test } from 'vitest';
import { LogTail, MAX_LOG_CHARACTERS } from '../../../src/engine/log-tail.js';

const NOTICE = '[WARNING] Logs truncated. The output exceeded 1000000 characters.\n';

function tail(...pieces: string[]): string {
  const logs = new LogTail('Logs');
  for (const piece of pieces) logs.push(piece);
  return logs.toString();
}

test('short texts stay as they are', () => {
  expect(tail()).toBe('');
  expect(tail('a\n', 'b\n')).toBe('a\nb\n');
  expect(tail('x'.repeat(MAX_LOG_CHARACTERS))).toHaveLength(MAX_LOG_CHARACTERS);
});

test('of a longer text the end is kept, with a notice, within the limit', () => {
  const text = tail('first', 'x'.repeat(MAX_LOG_CHARACTERS), 'last');
  expect(text).toHaveLength(MAX_LOG_CHARACTERS);
  expect(text.startsWith(`${NOTICE}xxx`)).toBe(true);
  expect(text.endsWith('xlast')).toBe(true);
});

test('a flood in many pieces gives the same as in one', () => {
  const pieces = Array.from({ length: 40_000 }, (_, i) => `line ${i} ${'y'.repeat(90)}\n`);
  expect(tail(...pieces)).toBe(tail(pieces.join('')));
});

test('no half of a character is left at the cut', () => {
  const text = tail('😀'.repeat(MAX_LOG_CHARACTERS));
  expect(text.slice(NOTICE.length)).toMatch(/^(😀)+$/u);
  expect(text.length).toBeGreaterThan(MAX_LOG_CHARACTERS - 2);
});

test('errors have a notice of their own', () => {
  const errors = new LogTail('Errors');
  errors.push('x'.repeat(MAX_LOG_CHARACTERS + 1));
  expect(errors.toString()).toMatch(/^\[WARNING\] Errors truncated\./);
});
