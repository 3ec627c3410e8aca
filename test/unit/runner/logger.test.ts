import { describe, expect, test } from 'vitest';
import { ExecutionLogger, writeOutput } from '../../../src/runner/logger.js';
import { openChannel } from './test-channel.js';

const NOTICE = 'Native logs detected. Use context.log() or context.error() for better experience.\n';
const CUT = '... Log truncated due to size limit (8000 characters)\n';

/** The logger of an execution, and what has come of it at the other end of the channel. */
function createLogger({ enabled = true, id = 7 } = {}) {
  const { writer, frames } = openChannel();
  const logger = new ExecutionLogger(writer, (text) => text.replaceAll('/code/', ''), id, enabled);
  const text = (stream: string) =>
    frames()
      .filter(({ header }) => header.type === 'log' && header.id === id && header.stream === stream)
      .map((frame) => frame.text)
      .join('');
  return {
    logger,
    logs: () => text('logs'),
    errors: () => text('errors'),
    output: () =>
      frames()
        .filter(({ header }) => header.type === 'output')
        .map((frame) => frame.text)
        .join(''),
    count: () => frames().length,
  };
}

describe('log() and error()', () => {
  test('write a line each, to the logs and to the errors', () => {
    const { logger, logs, errors } = createLogger();
    logger.log(['a', 1]);
    logger.error(['b', { c: 2 }]);
    logger.log([]);
    expect(logs()).toBe('a 1\n\n');
    expect(errors()).toBe('b {"c":2}\n');
  });

  test('write at once: what comes next may be the end of the thread', () => {
    const { logger, logs } = createLogger();
    logger.log(['a']);
    expect(logs()).toBe('a\n');
    logger.log(['b']);
    expect(logs()).toBe('a\nb\n');
  });

  test('show a stack as the cleaner leaves it', () => {
    const { logger, errors } = createLogger();
    logger.error([Object.assign(new Error(), { stack: 'Error\n    at /code/a.js:1:1' })]);
    expect(errors()).toBe('Error\n    at a.js:1:1\n');
  });

  test('cut a line that is too long', () => {
    const { logger, logs, errors } = createLogger();
    logger.log(['x'.repeat(9_000)]);
    logger.error(['y'.repeat(9_000)]);
    expect(logs()).toBe(`${'x'.repeat(8_000)}${CUT}`);
    expect(errors()).toBe(`${'y'.repeat(8_000)}${CUT}`);
  });

  test('are UTF-8', () => {
    const { logger, logs } = createLogger();
    logger.log(['ä😀']);
    expect(logs()).toBe('ä😀\n');
  });
});

test('a fault is a line of the errors, cut like one', () => {
  const { logger, logs, errors } = createLogger();
  logger.fault('went wrong');
  logger.fault('z'.repeat(8_001));
  expect(errors()).toBe(`went wrong\n${'z'.repeat(8_000)}${CUT}`);
  expect(logs()).toBe('');
});

describe('native output', () => {
  test('goes to the logs as it is, behind one notice', () => {
    const { logger, logs, errors } = createLogger();
    logger.native('a\n');
    logger.native('b\n');
    expect(logs()).toBe(`${NOTICE}a\nb\n`);
    expect(errors()).toBe('');
  });

  test('has the notice in front of its first piece, not in front of the logs', () => {
    const { logger, logs } = createLogger();
    logger.log(['first']);
    logger.native('a\n');
    expect(logs()).toBe(`first\n${NOTICE}a\n`);
  });

  test('may come without ends of lines', () => {
    const { logger, logs } = createLogger();
    for (const piece of ['a', 'b', '', 'c\n', 'd']) logger.native(piece);
    expect(logs()).toBe(`${NOTICE}abc\nd`);
  });

  test('that did not end its line is ended by what follows', () => {
    const { logger, logs, errors } = createLogger();
    logger.native('a');
    logger.error(['an error interrupts nothing']);
    logger.native('b');
    logger.log(['line']);
    logger.native('c');
    logger.end();
    expect(logs()).toBe(`${NOTICE}ab\nline\nc\n`);
    expect(errors()).toBe('an error interrupts nothing\n');
  });

  test('that ended its line gets no empty one behind it', () => {
    const { logger, logs } = createLogger();
    logger.native('a\n');
    logger.end();
    expect(logs()).toBe(`${NOTICE}a\n`);
  });

  test('is cut where a piece is too long', () => {
    const { logger, logs } = createLogger();
    logger.native(`${'x'.repeat(8_000)}\n`);
    logger.native(`${'y'.repeat(8_001)}\n`);
    logger.native('z'.repeat(8_001));
    logger.native('next\n');
    expect(logs()).toBe(
      `${NOTICE}${'x'.repeat(8_000)}\n${'y'.repeat(8_000)}${CUT}${'z'.repeat(8_000)}${CUT}next\n`,
    );
  });
});

describe('after the end of its execution', () => {
  test('everything is output that belongs to none', () => {
    const { logger, logs, errors, output } = createLogger();
    expect(logger.ended).toBe(false);
    logger.end();
    expect(logger.ended).toBe(true);
    logger.log(['a', 1]);
    logger.error(['b']);
    logger.native('c');
    expect(output()).toBe('a 1\nb\nc');
    expect(logs() + errors()).toBe('');
  });
});

test('with logging off nothing is kept: no log, no error, no fault, no output', () => {
  const { logger, count } = createLogger({ enabled: false });
  const all = () => {
    logger.log(['a']);
    logger.error(['b']);
    logger.fault('c');
    logger.native('d');
  };
  all();
  logger.end();
  all();
  expect(count()).toBe(0);
});

test('output of no execution is sent as such, up to 4,000 characters of a piece', () => {
  const { writer, frames } = openChannel();
  writeOutput(writer, 'ä\n');
  writeOutput(writer, 'x'.repeat(5_000));
  expect(frames()).toEqual([
    { header: { type: 'output' }, text: 'ä\n' },
    { header: { type: 'output' }, text: 'x'.repeat(4_000) },
  ]);
});
