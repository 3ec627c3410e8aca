import type { Job, Target } from './types.js';

/** Executions handed to a thread at a time at the most, one of them running. */
const MAX_AHEAD = 32;
/** Together they should not take longer than this, ms, judged by the longest of late. */
const AHEAD_MS = 16;
/** How fast one long execution is forgotten, per execution. */
const DECAY = 0.8;

/** Async executions of one function that are kept in memory, and bytes of their bodies; the others wait in the database. */
const ASYNC_WINDOW = 4_096;
const ASYNC_WINDOW_BYTES = 8 * 1024 * 1024;
/** Waiting executions that are read from the database at a time; the server does nothing else meanwhile. */
const LOAD_COUNT = 256;

/** What may be read of waiting executions at a time; the first one is, however large. */
export interface Room {
  count: number;
  bytes: number;
  /** Nothing is left in memory: whatever was accepted must be found, at whatever cost. */
  isUrgent: boolean;
}

/**
 * Executions that wait in the database. `all`: there are no others; `so far`: others may not be in the tables yet, which
 * is only said to who is not in a hurry; `more`: there was no room for others.
 */
export interface Waiting<T = Job> {
  items: T[];
  end: 'all' | 'so far' | 'more';
}

/** What waits of one function, sync ahead of async. */
export class FunctionQueue {
  readonly functionId: string;
  target: Target;
  readonly sync = new Fifo<Job>();
  readonly async = new Fifo<Job>();
  /** Sequence numbers of the async executions that are in memory: in `async`, or in a runner. */
  readonly held = new Set<number>();
  /** More async executions may wait in the database, with a sequence number above `lastSeq`. */
  spilled = false;
  /** Sequence number of the newest async execution that was taken into memory. */
  lastSeq = 0;
  /** A read of waiting executions is under way. */
  #loading = false;
  /** The last read found fewer than it had room for; the next can wait. */
  #isDry = false;
  /** Another one was left in the database since that read began. */
  #missed = false;
  /** Bytes of the bodies in `sync`. */
  syncBytes = 0;
  /** Bytes of the bodies in `async`. */
  #asyncBytes = 0;
  /** Recent durations, ms: jumps up with a long one, comes down slowly. */
  #slowness: number | null = null;

  constructor(functionId: string, target: Target) {
    this.functionId = functionId;
    this.target = target;
  }

  get size(): number {
    return this.sync.length + this.async.length;
  }

  /** How many executions a thread may be given at a time. Unknown durations count as long. */
  get ahead(): number {
    if (this.#slowness === null) return 1;
    return Math.max(1, Math.min(MAX_AHEAD, Math.floor(AHEAD_MS / this.#slowness)));
  }

  /** Takes note of how long an execution took, ms. */
  observe(duration: number): void {
    this.#slowness = this.#slowness === null ? duration : Math.max(duration, this.#slowness * DECAY);
  }

  /** The next one to run. */
  shift(): Job | undefined {
    const job = this.sync.shift();
    if (!job) return this.shiftAsync();
    this.syncBytes -= job.body.length;
    return job;
  }

  /** The next async one. */
  shiftAsync(): Job | undefined {
    const job = this.async.shift();
    if (job) this.#asyncBytes -= job.body.length;
    return job;
  }

  /** Takes it into memory if memory's share is not full and nothing waits in the database ahead of it. */
  pushAsync(job: Job): void {
    const isFull =
      this.async.length >= ASYNC_WINDOW ||
      (this.async.length > 0 && this.#asyncBytes + job.body.length > ASYNC_WINDOW_BYTES);
    if (this.spilled || isFull) {
      this.spilled = true;
      this.#missed = true;
      return;
    }
    this.#hold(job);
  }

  /** Whether waiting executions should be read from the database now. */
  get wantsMore(): boolean {
    if (!this.spilled || this.#loading) return false;
    if (this.async.length === 0) return true;
    if (this.#isDry) return false;
    return this.async.length <= ASYNC_WINDOW / 2 && this.#asyncBytes <= ASYNC_WINDOW_BYTES / 2;
  }

  /** Answers how many may be read, and how many bytes of their bodies. */
  beginLoad(): Room {
    this.#loading = true;
    this.#missed = false;
    return {
      count: Math.min(LOAD_COUNT, ASYNC_WINDOW - this.async.length),
      bytes: ASYNC_WINDOW_BYTES - this.#asyncBytes,
      isUrgent: this.async.length === 0,
    };
  }

  /** What was read, or null: the read failed. */
  endLoad(read: Waiting | null): void {
    this.#loading = false;
    if (!read) return;
    for (const job of read.items) if (!this.held.has(job.seq)) this.#hold(job);
    this.#isDry = read.end === 'so far';
    this.spilled = read.end !== 'all' || this.#missed;
  }

  /** What the database lacked a moment ago may be there now. */
  refresh(): void {
    this.#isDry = false;
  }

  #hold(job: Job): void {
    this.held.add(job.seq);
    this.lastSeq = Math.max(this.lastSeq, job.seq);
    this.async.push(job);
    this.#asyncBytes += job.body.length;
  }

  pushSync(job: Job): void {
    this.sync.push(job);
    this.syncBytes += job.body.length;
  }

  /** Puts back what was handed over and not started, ahead of the others. */
  unshift(jobs: Job[]): void {
    for (const job of jobs.toReversed()) {
      if (!job.sync) {
        this.async.unshift(job);
        this.#asyncBytes += job.body.length;
        continue;
      }
      this.sync.unshift(job);
      this.syncBytes += job.body.length;
    }
  }
}

/** A queue with cheap ends, which an array's `shift` is not once it is long. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  peek(): T | undefined {
    return this.#items[this.#head];
  }

  shift(): T | undefined {
    if (this.#head >= this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  unshift(item: T): void {
    if (this.#head > 0) this.#items[--this.#head] = item;
    else this.#items.unshift(item);
  }
}
