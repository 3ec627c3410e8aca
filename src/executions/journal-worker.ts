/**
 * The far end of `journal.ts`: a thread with a connection of its own, which brings the journal into the tables so that
 * their indexes keep no request waiting. That waits until nothing new has come for a moment, somebody wants to read, or
 * too much has gathered.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { BackgroundWriteLock } from '../db/write-lock.js';
import { Progress } from './journal-progress.js';
import { isRepeatable, JournalStore, type Operations } from './journal-store.js';

/** Main thread → this thread. */
export type JournalRequest =
  /** There is something in the journal: look at it until all is in the tables, then say `settled`. */
  | { watch: true }
  | { request: number; settle: true }
  | { request: number; operation: keyof Operations; args: never[] }
  | { request: number; close: true };

/** This thread → main thread. */
export type JournalReply =
  /** Everything old is in the tables. */
  | { ready: true; lastSeq: number }
  /** A request is done; if not, `failed` says why. */
  | { request: number; failed?: string }
  | { settled: true }
  /** The lock that the main thread waits for is free. */
  | { unlocked: true }
  | { skipped: number; reason: string };

export interface JournalWorkerData {
  file: string;
  lock: SharedArrayBuffer;
  progress: SharedArrayBuffer;
}

/**
 * With more characters than this in the journal, entries go into the tables even while new ones keep coming. It is some
 * ten thousand small executions, whose way into the tables takes a fifth of a second.
 */
const MAX_BACKLOG_CHARACTERS = 6 * 1024 * 1024;
/** How often a journal that is not empty is looked at, ms. Nothing new since: time to bring it into the tables. */
const WATCH_MS = 20;
/** The tables are behind for no longer than this, ms, however busy it is. */
const MAX_AGE_MS = 1_000;
/** After a failure to write to the tables, the next attempt, ms. */
const RETRY_MS = 1_000;

class JournalThread {
  readonly #port: MessagePort;
  readonly #store: JournalStore;
  readonly #lock: BackgroundWriteLock;
  readonly #progress: Progress;
  #watch: NodeJS.Timeout | null = null;
  /** What had been committed at the last look, and when the tables were last not behind. */
  #seen = 0;
  #behindSince = 0;

  constructor(port: MessagePort, { file, lock, progress }: JournalWorkerData) {
    this.#port = port;
    this.#progress = new Progress(progress);
    this.#lock = new BackgroundWriteLock(lock, () => this.#reply({ unlocked: true }));
    this.#store = new JournalStore(file, (seq, reason) => this.#reply({ skipped: seq, reason }));
    while (this.#store.apply() > 0);
    port.on('message', (request: JournalRequest) => this.#receive(request));
    this.#reply({ ready: true, lastSeq: this.#store.lastSeq() });
  }

  #reply(reply: JournalReply): void {
    this.#port.postMessage(reply);
  }

  #receive(request: JournalRequest): void {
    if ('watch' in request) {
      this.#behindSince = performance.now();
      this.#lookAgain(WATCH_MS);
      return;
    }
    try {
      if (!('operation' in request && isRepeatable(request.operation))) this.#applyAll();
      if ('operation' in request) {
        this.#lock.with(() => this.#store.operate(request.operation, request.args as never));
        this.#checkpointIfDue();
      }
      this.#finish(request);
    } catch (error) {
      this.#finish(request, error instanceof Error ? error.message : String(error));
    }
  }

  #finish(request: Exclude<JournalRequest, { watch: true }>, failed?: string): void {
    if ('close' in request) {
      if (this.#watch) clearTimeout(this.#watch);
      this.#store.close();
    }
    this.#reply({ request: request.request, ...(failed !== undefined && { failed }) });
    if ('close' in request) this.#port.close();
  }

  #lookAgain(ms: number): void {
    if (this.#watch) clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.#look(), ms);
  }

  #look(): void {
    const committed = this.#progress.totalCommitted;
    const isQuiet = committed === this.#seen;
    this.#seen = committed;
    let pause = WATCH_MS;
    try {
      if (isQuiet || performance.now() - this.#behindSince > MAX_AGE_MS) this.#applyAll();
      else while (this.#progress.backlog > MAX_BACKLOG_CHARACTERS) this.#applySlice();
    } catch {
      // The entries are still there; whoever needs them in the tables is told by a request of its own.
      pause = RETRY_MS;
    }
    if (this.#progress.backlog > 0) this.#lookAgain(pause);
    else {
      this.#watch = null;
      this.#reply({ settled: true });
    }
  }

  /** Brings into the tables what is in the journal now. */
  #applyAll(): void {
    for (let left = this.#progress.backlog; left > 0; ) {
      const applied = this.#applySlice();
      if (applied === 0) break;
      left -= applied;
    }
    this.#behindSince = performance.now();
  }

  /** The bulk while the main thread can commit, and the little that it has committed meanwhile when it can't. */
  #checkpointIfDue(): void {
    if (!this.#store.isCheckpointDue) return;
    this.#store.checkpoint();
    this.#lock.with(() => this.#store.checkpoint());
  }

  #applySlice(): number {
    const characters = this.#lock.with(() => this.#store.apply());
    this.#progress.applied(characters);
    this.#checkpointIfDue();
    return characters;
  }
}

if (parentPort) new JournalThread(parentPort, workerData as JournalWorkerData);
