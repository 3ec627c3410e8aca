import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ChannelError,
  encodeFrame,
  FrameReader,
  MAX_BODY_BYTES,
  MAX_HEADER_BYTES,
} from '../../../src/engine/channel.js';

type Frame = { header: Record<string, unknown>; body: Buffer };

function read(chunks: Buffer[]): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader((header, body) => frames.push({ header, body: Buffer.from(body) }));
  for (const chunk of chunks) reader.push(chunk);
  return frames;
}

describe('frames', () => {
  test('that come byte by byte take no more memory than twice what has come', () => {
    const reader = new FrameReader(() => {});
    const prefix = Buffer.alloc(8);
    prefix.writeUInt32BE(20, 0);
    prefix.writeUInt32BE(MAX_BODY_BYTES, 4);
    reader.push(prefix);
    const before = process.memoryUsage();
    for (let i = 0; i < 300_000; i++) reader.push(Buffer.from([i]));
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(8 * 1024 * 1024);
    expect(after.rss - before.rss).toBeLessThan(64 * 1024 * 1024);
  });

  test('with a body are refused where none belongs', () => {
    const reader = new FrameReader(() => {}, 0);
    reader.push(encodeFrame({ type: 't' }));
    expect(() => reader.push(encodeFrame({ type: 't' }, Buffer.alloc(1)))).toThrow(ChannelError);
  });

  test('come out as they went in, however the stream is cut', () => {
    const frame = fc.record({ text: fc.string(), body: fc.uint8Array({ maxLength: 300 }) });
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        (sent, cuts) => {
          const stream = Buffer.concat(sent.map(({ text, body }) => encodeFrame({ type: 't', text }, body)));
          const chunks: Buffer[] = [];
          for (let at = 0; at < stream.length; ) {
            const size = cuts.next().value as number;
            chunks.push(stream.subarray(at, at + size));
            at += size;
          }
          expect(read(chunks)).toEqual(
            sent.map(({ text, body }) => ({ header: { type: 't', text }, body: Buffer.from(body) })),
          );
        },
      ),
    );
  });

  test.each([
    ['a header', MAX_HEADER_BYTES + 1, 0],
    ['a body', 2, MAX_BODY_BYTES + 1],
  ])('%s beyond its cap is refused before it is read', (_name, headerBytes, bodyBytes) => {
    const prefix = Buffer.alloc(8);
    prefix.writeUInt32BE(headerBytes, 0);
    prefix.writeUInt32BE(bodyBytes, 4);
    expect(() => read([prefix])).toThrow(ChannelError);
  });

  test.each(['nonsense', '[1]', 'null', '"text"'])('a header %s is refused', (text) => {
    const frame = Buffer.alloc(8 + text.length);
    frame.writeUInt32BE(text.length, 0);
    frame.write(text, 8);
    expect(() => read([frame])).toThrow(ChannelError);
  });

  test('what is too large is not sent either', () => {
    expect(() => encodeFrame({ text: 'x'.repeat(MAX_HEADER_BYTES) })).toThrow(ChannelError);
    expect(() => encodeFrame({}, Buffer.alloc(MAX_BODY_BYTES + 1))).toThrow(ChannelError);
  });
});
