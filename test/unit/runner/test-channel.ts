import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { FrameReader, type ThreadReply } from '../../../src/engine/channel.js';
import { FrameWriter } from '../../../src/runner/writer.js';

export interface Frame {
  header: ThreadReply;
  text: string;
}

/** The frames of what was written to a file. */
export function readFrames(file: string): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader((header, body) => {
    frames.push({ header: header as ThreadReply, text: body.toString() });
  });
  reader.push(readFileSync(file));
  return frames;
}

/** A folder that goes with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'runner-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A channel whose other end keeps all that arrives. */
export function openChannel(): { writer: FrameWriter; frames: () => Frame[] } {
  const file = join(temporaryFolder(), 'frames');
  const descriptor = openSync(file, 'w');
  onTestFinished(() => closeSync(descriptor));
  return { writer: new FrameWriter(descriptor), frames: () => readFrames(file) };
}
