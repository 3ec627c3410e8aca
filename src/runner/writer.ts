import fs from 'node:fs';
import { encodeFrame, type ThreadReply } from '../engine/channel.js';

// Taken before any function is loaded: one that replaces members of `fs` must not break the channel.
const { writeSync } = fs;

/** Waited between attempts to write to a channel whose other end does not keep up, ms. */
const RETRY_MS = 1;
/** Frames above this size are not copied to leave together with others, bytes. */
const MAX_JOINED_BYTES = 64 * 1024;

/**
 * Writes frames to a descriptor, synchronously: what has been written has left the thread, whatever happens to it
 * next, and a flood is slowed down by whoever reads it instead of filling memory.
 */
export class FrameWriter {
  readonly #descriptor: number;
  readonly #pause = new Int32Array(new SharedArrayBuffer(4));
  #held: Buffer | null = null;
  #closed = false;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Writes a frame, and before it the one that was held, in one system call if they are small. */
  send(reply: ThreadReply, body?: Uint8Array): void {
    this.#write(encodeFrame(reply, body));
  }

  /** Keeps a frame back until the next one, or `flush`. Only one is held at a time. */
  hold(frame: Buffer): void {
    this.flush();
    this.#held = frame;
  }

  /** Writes the frame that is held, if any. */
  flush(): void {
    const held = this.#held;
    if (!held) return;
    this.#held = null;
    this.#writeAll(held);
  }

  #write(frame: Buffer): void {
    const held = this.#held;
    if (held && held.length + frame.length <= MAX_JOINED_BYTES) {
      this.#held = null;
      this.#writeAll(Buffer.concat([held, frame]));
      return;
    }
    this.flush();
    this.#writeAll(frame);
  }

  #writeAll(bytes: Buffer): void {
    let offset = 0;
    while (offset < bytes.length && !this.#closed) {
      try {
        offset += writeSync(this.#descriptor, bytes, offset, bytes.length - offset);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') Atomics.wait(this.#pause, 0, 0, RETRY_MS);
        // Nobody is left to read it. The reading end notices too, and ends the thread.
        else this.#closed = true;
      }
    }
  }
}
