import fs from 'node:fs';
import { encodeFrame, type ThreadReply } from '../engine/channel.js';

type Result = Extract<ThreadReply, { type: 'result' }>;

// Taken before any function is loaded: one that replaces members of `fs` must not break the channel.
const { writeSync } = fs;

/** Waited between attempts to write to a channel whose other end does not keep up, ms. */
const RETRY_MS = 1;

/**
 * Writes frames to a descriptor, synchronously: what has been written has left the thread, whatever happens to it
 * next, and a flood is slowed down by whoever reads it instead of filling memory.
 */
export class FrameWriter {
  readonly #descriptor: number;
  readonly #pause = new Int32Array(new SharedArrayBuffer(4));
  #held: { result: Result; body: Uint8Array } | null = null;
  #closed = false;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Writes a frame, and before it the result that was held. */
  send(reply: ThreadReply, body?: Uint8Array): void {
    this.flush();
    this.#writeAll(encodeFrame(reply, body));
  }

  /** Keeps a result back until the next frame, or `flush`. Only one is held at a time. */
  hold(result: Result, body: Uint8Array): void {
    this.flush();
    this.#held = { result, body };
  }

  /** Says that an execution starts now; in one frame with the result that is held, if any. */
  announce(id: number): void {
    if (this.#held) this.#held.result.next = id;
    else this.#writeAll(encodeFrame({ type: 'started', id } satisfies ThreadReply));
    this.flush();
  }

  /** Writes the result that is held, if any. */
  flush(): void {
    const held = this.#held;
    if (!held) return;
    this.#held = null;
    this.#writeAll(encodeFrame(held.result, held.body));
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
