/**
 * What the runner's main thread and its worker threads tell each other. All else goes by way of the channel.
 */

/** What a worker thread is given to work on. */
export interface ThreadTask {
  thread: number;
  descriptor: number;
  codeDirectory: string;
  entrypoint: string;
  startFile: string;
  env: Record<string, string>;
  /** One Int32 for each of `ThreadFlag`. */
  flags: SharedArrayBuffer;
}

/** Indexes of the flags; 1 means that it is so. */
export const ThreadFlag = {
  /** The worker has taken over the descriptor, and closes it when it ends. */
  descriptorTaken: 0,
  /** The main thread has passed on why the worker ends. */
  endAcknowledged: 1,
} as const;

export const createFlags = (): SharedArrayBuffer => new SharedArrayBuffer(8);

/** Worker → main thread: it is about to end, and why. */
export interface EndNotice {
  thread: number;
  endReason: string;
}

/** Whether a message from a worker is an `EndNotice`; the function can send messages too. */
export function isEndNotice(message: unknown): message is EndNotice {
  if (typeof message !== 'object' || message === null) return false;
  const { thread, endReason } = message as Partial<EndNotice>;
  return Number.isInteger(thread) && typeof endReason === 'string';
}
