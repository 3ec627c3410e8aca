import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ThreadReply } from '../../../src/engine/channel.js';
import { FrameWriter } from '../../../src/runner/writer.js';
import { openChannel, readFrames, temporaryFolder } from './test-channel.js';

const result = (id: number): Extract<ThreadReply, { type: 'result' }> => ({
  type: 'result',
  id,
  status: 200,
  headers: [],
  duration: 0,
});
const started = (id: number): ThreadReply => ({ type: 'started', id });

/** Holds the result of that execution back. */
const hold = (writer: FrameWriter, id: number, text = '') => writer.hold(result(id), Buffer.from(text));

/** A pipe of the kind that a thread writes to: a write that finds it full fails at once. */
function openPipe() {
  const folder = temporaryFolder();
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  // Neither end can be opened alone, but one that is both can.
  const both = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const readEnd = openSync(path, constants.O_RDONLY);
  const writeEnd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  closeSync(both);
  return { folder, readEnd, writeEnd };
}

describe('frames', () => {
  test('leave at once and in order', () => {
    const { writer, frames } = openChannel();
    writer.send({ type: 'hello' });
    expect(frames()).toEqual([{ header: { type: 'hello' }, text: '' }]);
    writer.send({ type: 'log', id: 1, stream: 'logs' }, Buffer.from('ä\n'));
    expect(frames()[1]).toEqual({ header: { type: 'log', id: 1, stream: 'logs' }, text: 'ä\n' });
  });

  test('that are held leave with what comes next, in front of it', () => {
    const { writer, frames } = openChannel();
    hold(writer, 1, 'one');
    expect(frames()).toEqual([]);
    writer.send(started(2));
    expect(frames()).toEqual([
      { header: result(1), text: 'one' },
      { header: started(2), text: '' },
    ]);
  });

  test('that are held say which execution starts next, in the same frame', () => {
    const { writer, frames } = openChannel();
    writer.announce(1);
    hold(writer, 1, 'one');
    writer.announce(2);
    expect(frames()).toEqual([
      { header: started(1), text: '' },
      { header: { ...result(1), next: 2 }, text: 'one' },
    ]);
  });

  test('that are held leave when they are flushed, once', () => {
    const { writer, frames } = openChannel();
    writer.flush();
    hold(writer, 1);
    writer.flush();
    writer.flush();
    expect(frames()).toEqual([{ header: result(1), text: '' }]);
  });

  test('that are held leave when another one is held', () => {
    const { writer, frames } = openChannel();
    hold(writer, 1);
    hold(writer, 2);
    expect(frames().map(({ header }) => header)).toEqual([result(1)]);
    writer.flush();
    expect(frames().map(({ header }) => header)).toEqual([result(1), result(2)]);
  });

  test('keep their order whatever their size', () => {
    const { writer, frames } = openChannel();
    const large = 'x'.repeat(100_000);
    hold(writer, 1, large);
    writer.send(started(2));
    hold(writer, 2);
    writer.send({ type: 'output' }, Buffer.from(large));
    expect(frames().map(({ header, text }) => [header, text.length])).toEqual([
      [result(1), large.length],
      [started(2), 0],
      [result(2), 0],
      [{ type: 'output' }, large.length],
    ]);
  });
});

test('a reader that does not keep up gets everything', async () => {
  const { folder, readEnd, writeEnd } = openPipe();
  const file = join(folder, 'frames');
  const copy = openSync(file, 'w');
  const reader = spawn('cat', { stdio: [readEnd, copy, 'ignore'] });
  const gone = once(reader, 'close');
  closeSync(readEnd);
  const writer = new FrameWriter(writeEnd);
  // Many times what a pipe holds, in frames both larger and smaller than that.
  const texts = Array.from({ length: 40 }, (_, i) => String.fromCharCode(97 + (i % 26)).repeat(i * 10_000));
  for (const text of texts) writer.send({ type: 'output' }, Buffer.from(text));
  closeSync(writeEnd);
  await gone;
  closeSync(copy);
  expect(readFrames(file).map(({ text }) => text)).toEqual(texts);
});

test('a channel that nobody reads any more is written to in vain, without a fault', () => {
  const { readEnd, writeEnd } = openPipe();
  closeSync(readEnd);
  const writer = new FrameWriter(writeEnd);
  expect(() => {
    writer.send({ type: 'output' }, Buffer.alloc(200_000));
    hold(writer, 1);
    writer.flush();
  }).not.toThrow();
  closeSync(writeEnd);
});
