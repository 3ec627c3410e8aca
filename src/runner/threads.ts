import { closeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { type ControlMessage, threadDescriptor } from '../engine/channel.js';
import { createFlags, isEndNotice, ThreadFlag, type ThreadTask } from './task.js';

export type Boot = Extract<ControlMessage, { type: 'boot' }>;

interface ThreadRecord {
  thread: number;
  flags: SharedArrayBuffer;
  controller: AbortController;
  /** Its end has been reported. */
  reported: boolean;
  killed: boolean;
}

/**
 * The worker threads of a runner: a Piscina pool in which each task lives as long as its thread.
 *
 *     start ──> waiting ──> running ──> ended
 *                  └───kill────┴──kill──> ended
 */
export class Threads {
  readonly #boot: Boot;
  readonly #pool: Piscina<ThreadTask, void>;
  readonly #onEnd: (thread: number, reason: string) => void;
  readonly #records = new Map<number, ThreadRecord>();
  #waiting: ThreadRecord[] = [];
  #running = 0;

  /** `onEnd` is called once for each thread that was started; `reason` is a sentence for an execution's errors. */
  constructor(boot: Boot, onEnd: (thread: number, reason: string) => void) {
    this.#boot = boot;
    this.#onEnd = onEnd;
    this.#pool = new Piscina({
      filename: fileURLToPath(new URL('./invoke.js', import.meta.url)),
      minThreads: 0,
      maxThreads: boot.maxThreads,
      concurrentTasksPerWorker: 1,
      maxQueue: Number.POSITIVE_INFINITY,
      // A worker ends with its task, so none is ever idle for long.
      idleTimeout: 0,
      // A worker must not block its event loop in wait for a next task.
      atomics: 'disabled',
      recordTiming: false,
      // What the variables hold is set later: some of them would configure Node itself, or Piscina.
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: boot.maxHeapMegabytes },
    });
    this.#pool.on('message', (message: unknown) => this.#noticed(message));
    this.#pool.on('error', (error: Error) => this.#workerFailed(error));
  }

  /** Starts a worker on the descriptor of that thread. Each number is used once. */
  start(thread: number): void {
    const record: ThreadRecord = {
      thread,
      flags: createFlags(),
      controller: new AbortController(),
      reported: false,
      killed: false,
    };
    this.#records.set(thread, record);
    this.#waiting.push(record);
    this.#startWaiting();
  }

  /** Ends that thread at once, whatever it does. One that has ended, or never was, is left alone. */
  kill(thread: number): void {
    const record = this.#records.get(thread);
    if (!record || record.killed) return;
    record.killed = true;
    if (this.#waiting.includes(record)) {
      this.#waiting = this.#waiting.filter((other) => other !== record);
      this.#end(record, KILLED);
      return;
    }
    // Piscina lets go of the worker at once, but it takes a moment to die.
    const before = this.#pool.threads;
    record.controller.abort();
    const after = this.#pool.threads;
    const dying = before.find((worker) => !after.includes(worker));
    if (dying) dying.once('exit', () => this.#end(record, KILLED));
    else this.#end(record, KILLED);
  }

  /**
   * There are never more tasks than workers: Piscina does not look at its queue again when a worker dies, only when
   * one has ended its task.
   */
  #startWaiting(): void {
    while (this.#running < this.#boot.maxThreads) {
      const record = this.#waiting.shift();
      if (!record) return;
      this.#running += 1;
      void this.#run(record);
    }
  }

  async #run(record: ThreadRecord): Promise<void> {
    const { codeDirectory, entrypoint, startFile, env, maxHeapMegabytes } = this.#boot;
    const { thread, flags, controller } = record;
    const descriptor = threadDescriptor(thread);
    let reason = 'The channel was closed.';
    try {
      await this.#pool.run(
        { thread, descriptor, codeDirectory, entrypoint, startFile, env: { ...TEMPORARY, ...env }, flags },
        { signal: controller.signal },
      );
    } catch (error) {
      reason = reasonOf(error as NodeJS.ErrnoException, maxHeapMegabytes);
    }
    this.#running -= 1;
    if (!record.killed) this.#end(record, reason);
    this.#startWaiting();
  }

  /** A worker says that it is about to end. It waits until that has been passed on. */
  #noticed(message: unknown): void {
    if (!isEndNotice(message)) return;
    const record = this.#records.get(message.thread);
    if (!record) return;
    this.#report(record, message.endReason);
    const flags = new Int32Array(record.flags);
    Atomics.store(flags, ThreadFlag.endAcknowledged, 1);
    Atomics.notify(flags, ThreadFlag.endAcknowledged);
  }

  /** A worker died before it had a task: whichever was to have it will not start. */
  #workerFailed(error: Error): void {
    for (const record of this.#records.values()) {
      if (this.#waiting.includes(record) || isSet(record, ThreadFlag.descriptorTaken)) continue;
      this.#report(record, reasonOf(error, this.#boot.maxHeapMegabytes));
      record.controller.abort();
      return;
    }
  }

  #end(record: ThreadRecord, reason: string): void {
    this.#records.delete(record.thread);
    this.#report(record, reason);
    // A worker closes its descriptor as it dies, but one that never came that far does not.
    if (!isSet(record, ThreadFlag.descriptorTaken)) closeSync(threadDescriptor(record.thread));
  }

  #report(record: ThreadRecord, reason: string): void {
    if (record.reported) return;
    record.reported = true;
    this.#onEnd(record.thread, reason);
  }
}

/** Where the temporary folder is not `/tmp`, the function has to be told. */
const TEMPORARY: Record<string, string> =
  process.env.TMPDIR && process.env.TMPDIR !== '/tmp' ? { TMPDIR: process.env.TMPDIR } : {};

const KILLED = 'The thread was ended by the server.';

const isSet = (record: ThreadRecord, flag: number): boolean =>
  Atomics.load(new Int32Array(record.flags), flag) === 1;

function reasonOf(error: NodeJS.ErrnoException, maxHeapMegabytes: number): string {
  if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return `The function ran out of memory: the limit is ${maxHeapMegabytes} MiB.`;
  }
  const exit = /^worker exited with code: (-?\d+)$/.exec(error.message);
  if (exit) return `The function ended its thread with exit code ${exit[1]}.`;
  return `The thread failed: ${error.message}`;
}
