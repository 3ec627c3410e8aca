import { Worker } from 'node:worker_threads';
import type BetterSqlite3 from 'better-sqlite3';
import { compiledFile } from '../compiled.js';
import type { Database } from '../db/client.js';
import { createWriteLock, MainWriteLock } from '../db/write-lock.js';
import type { Writer } from '../db/writer.js';
import { StartupError } from '../errors.js';
import type { Entry } from './journal-entries.js';
import { createProgress, Progress } from './journal-progress.js';
import { isRepeatable, type Operations, prepareAppend } from './journal-store.js';
import type { JournalReply, JournalRequest, JournalWorkerData } from './journal-worker.js';

/** A row of the journal with more characters than this is closed, and the next entry begins another. */
const MAX_ROW_CHARACTERS = 4 * 1024 * 1024;

export interface JournalEvents {
  /** A change breaks a constraint of the tables and was left out; nothing but a bug can cause that. */
  onSkipped(seq: number, reason: string): void;
  /** The thread has ended by itself: nothing more comes into the tables. */
  onLost(error: Error): void;
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/**
 * What happens to executions, written down in order. An entry is on disk when its promise resolves; all entries of a
 * turn of the event loop are one row, in one commit. A thread brings them into the tables a moment later, in larger
 * groups, where an execution that has ended meanwhile is written once instead of twice. Whoever reads the tables asks
 * for `settle` first; a start does it before all else, so a crash loses nothing.
 *
 * Measured with all indexes, in groups of 16: 50 µs of CPU to insert and update an execution in its table, against 18
 * for its two entries, on the thread that answers requests, and 16 for its way into the table, on another. With the
 * commits in the other thread too, a fifth less executions a second: each waits twice for a way there and back.
 */
export class Journal {
  readonly #writer: Writer;
  readonly #insert: BetterSqlite3.Statement;
  readonly #worker: Worker;
  readonly #progress: Progress;
  readonly #events: JournalEvents;
  /** Entries of the row that is being made, as lines. */
  #lines: string[] = [];
  #characters = 0;
  /** When that row is on disk; null: the next entry begins a row. */
  #row: Promise<void> | null = null;
  /** The last row that is not on disk yet, refused ones included. */
  #latest: Promise<void> | null = null;
  readonly #requests = new Map<number, Waiter>();
  #lastRequest = 0;
  #lastSeq = 0;
  /** The thread looks at the journal by itself until all is in the tables. */
  #isWatched = false;
  /** The settling that is under way includes all entries there are. */
  #settling: Promise<void> | null = null;
  #failure: Error | null = null;

  private constructor({ sqlite, file }: Database, writer: Writer, events: JournalEvents) {
    this.#writer = writer;
    this.#events = events;
    this.#insert = prepareAppend(sqlite);
    const lock = createWriteLock();
    const progress = createProgress();
    this.#progress = new Progress(progress);
    writer.share(new MainWriteLock(lock));
    this.#worker = new Worker(compiledFile(import.meta.url, './journal-worker.js'), {
      workerData: { file, lock, progress } satisfies JournalWorkerData,
      env: {},
    });
    this.#worker.on('message', (reply: JournalReply) => this.#receive(reply));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the thread that fills the tables has ended')));
  }

  /**
   * Starts the thread, and brings what an earlier process has left in the journal into the tables. `writer` is the only
   * one in this process that writes beside it.
   * @throws StartupError when the database can't be written.
   */
  static async open(database: Database, writer: Writer, events: JournalEvents): Promise<Journal> {
    const journal = new Journal(database, writer, events);
    try {
      await new Promise<void>((resolve, reject) => journal.#requests.set(0, { resolve, reject }));
    } catch (error) {
      throw new StartupError(
        `The database ${database.file} can't be written: ${(error as Error).message}. Check its disk and its modes.`,
      );
    }
    return journal;
  }

  /** The next number in the order of executions. */
  nextSeq(): number {
    this.#lastSeq += 1;
    return this.#lastSeq;
  }

  /** Writes an entry down. Resolves when it is on disk. `isPatient`: nobody waits for that. */
  append(entry: Entry, isPatient = false): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    const line = JSON.stringify(entry);
    this.#settling = null;
    this.#lines.push(line);
    this.#characters += line.length + 1;
    this.#row ??= this.#beginRow();
    if (!isPatient) this.#writer.hurry();
    const row = this.#row;
    if (this.#characters > MAX_ROW_CHARACTERS) this.#closeRow();
    return row;
  }

  /** Resolves when all that was appended before is in the tables. */
  async settle(): Promise<void> {
    await this.#flush();
    if (this.#progress.backlog === 0) return;
    this.#settling ??= this.#request({ settle: true }).finally(() => {
      this.#settling = null;
    });
    await this.#settling;
  }

  /** Changes the tables, after all that was appended before unless it is repeatable. Resolves when it is on disk. */
  async run<K extends keyof Operations>(operation: K, ...args: Parameters<Operations[K]>): Promise<void> {
    if (!isRepeatable(operation)) await this.#flush();
    await this.#request({ operation, args: args as unknown as never[] });
  }

  /** Brings everything into the tables and ends the thread. */
  async close(): Promise<void> {
    if (this.#failure) return;
    await this.#flush();
    const closed = this.#request({ close: true });
    this.#failure = new Error('the journal is closed');
    await closed;
    await this.#worker.terminate();
  }

  /** Resolves when all that was appended before is on disk. */
  async #flush(): Promise<void> {
    if (!this.#latest) return;
    this.#writer.hurry();
    await this.#latest;
  }

  #beginRow(): Promise<void> {
    const row = this.#writeRow();
    const latest = row
      .catch(() => {}) // Those who wait for the row itself are told.
      .then(() => {
        if (this.#latest === latest) this.#latest = null;
      });
    this.#latest = latest;
    return row;
  }

  /** Asks for a row for the lines that gather until the writer takes it. */
  async #writeRow(): Promise<void> {
    const lines = this.#lines;
    try {
      const characters = await this.#writer.write(() => {
        if (this.#lines === lines) this.#closeRow();
        const entries = lines.join('\n');
        this.#insert.run(entries);
        return entries.length;
      }, true);
      this.#progress.committed(characters);
    } finally {
      if (this.#lines === lines) this.#closeRow();
    }
    this.#watch();
  }

  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#worker.postMessage({ watch: true } satisfies JournalRequest);
  }

  #closeRow(): void {
    this.#lines = [];
    this.#characters = 0;
    this.#row = null;
  }

  #request(message: JournalRequestBody): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    this.#lastRequest += 1;
    const request = this.#lastRequest;
    return new Promise((resolve, reject) => {
      this.#requests.set(request, { resolve, reject });
      this.#worker.postMessage({ ...message, request } as JournalRequest);
    });
  }

  #receive(reply: JournalReply): void {
    if ('unlocked' in reply) this.#writer.flush();
    else if ('request' in reply) {
      const waiter = this.#requests.get(reply.request)!;
      this.#requests.delete(reply.request);
      if (reply.failed === undefined) waiter.resolve();
      else waiter.reject(new Error(reply.failed));
    } else if ('settled' in reply) {
      this.#isWatched = false;
      if (this.#progress.backlog > 0) this.#watch();
    } else if ('ready' in reply) {
      this.#lastSeq = reply.lastSeq;
      this.#requests.get(0)!.resolve();
      this.#requests.delete(0);
    } else {
      this.#events.onSkipped(reply.skipped, reply.reason);
    }
  }

  /** The thread is gone: whoever waits for it is told, now and from now on. */
  #fail(error: Error): void {
    const isExpected = this.#failure !== null || this.#requests.has(0);
    this.#failure ??= error;
    const waiters = [...this.#requests.values()];
    this.#requests.clear();
    for (const { reject } of waiters) reject(error);
    if (!isExpected) this.#events.onLost(error);
  }
}

type JournalRequestBody = { settle: true } | { close: true } | { operation: keyof Operations; args: never[] };
