import type { ExecutionStore } from './store.js';

const DAY_MS = 86_400_000;
/** How often old records are looked for, ms. */
const INTERVAL_MS = 10 * 60_000;
/** Records deleted in one transaction: it takes a few milliseconds, so nobody waits for it. */
const BATCH = 200;
/** Pause between two batches, ms. */
const PAUSE_MS = 50;

/** Deletes the records of executions that ended and are older than so many days, in small batches. */
export class Retention {
  readonly #store: ExecutionStore;
  readonly #days: number;
  readonly #onError: (error: unknown) => void;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  /** `days` 0: records are kept for ever. */
  constructor(store: ExecutionStore, days: number, onError: (error: unknown) => void) {
    this.#store = store;
    this.#days = days;
    this.#onError = onError;
  }

  start(): void {
    if (this.#days === 0) return;
    const sweep = () => {
      this.#running = this.sweep(Date.now()).catch(this.#onError);
    };
    this.#timer = setInterval(sweep, INTERVAL_MS);
    this.#timer.unref();
    sweep();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearInterval(this.#timer);
    await this.#running;
  }

  /** One pass over the records that are too old at the time `now` (ms since 1970). */
  async sweep(now: number): Promise<void> {
    const limit = now - this.#days * DAY_MS;
    let afterSeq = 0;
    while (!this.#stopped) {
      const records = await this.#store.oldest(afterSeq, BATCH);
      // Records are made in the order of time, so the first young one is the end.
      const old = records.filter(({ createdAt }) => createdAt < limit);
      const ended = old.filter(({ status }) => status === 'completed' || status === 'failed');
      if (ended.length > 0) await this.#store.delete(ended.map(({ seq }) => seq));
      if (old.length < BATCH) return;
      afterSeq = old.at(-1)!.seq;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
