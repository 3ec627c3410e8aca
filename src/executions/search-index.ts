import type { SearchStore } from './search-store.js';
import type { SearchText } from './types.js';

/** Executions indexed in one transaction. */
const BATCH = 100;
/** Pause after a full batch and after one that found nothing more, ms. */
const BUSY_PAUSE_MS = 25;
const IDLE_PAUSE_MS = 250;
/** Pause while requests take more than this share of the thread's time: they go first. */
const LOADED_SHARE = 0.5;
const LOADED_PAUSE_MS = 500;
/** So many unfinished executions are remembered at most before the walk goes on. */
const MAX_UNFINISHED = 1_000;

/**
 * Fills the search index in the background, so that no request pays for it: walks the records in the order of their
 * making, comes back to those that had not ended, and after a restart goes on where every earlier one is in the index.
 */
export class SearchIndex {
  readonly #store: SearchStore;
  readonly #onError: (error: unknown) => void;
  /** How far the walk has come. */
  #position = 0;
  /** Seen on the way and not ended then, oldest first. */
  #unfinished = new Set<number>();
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;
  #utilization = performance.eventLoopUtilization();

  constructor(store: SearchStore, onError: (error: unknown) => void) {
    this.#store = store;
    this.#onError = onError;
  }

  async start(): Promise<void> {
    this.#position = await this.#store.mark();
    this.#schedule(IDLE_PAUSE_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#running;
  }

  /** Indexes what has ended since; answers whether there is more to do at once. */
  async step(): Promise<boolean> {
    const revisited = await this.#revisit();
    const room = this.#unfinished.size < MAX_UNFINISHED;
    const next = room ? await this.#store.next(this.#position, BATCH) : [];
    for (const { seq, status } of next) if (!isEnded(status)) this.#unfinished.add(seq);
    const position = next.at(-1)?.seq ?? this.#position;
    const ended = [...revisited, ...next.filter(({ status }) => isEnded(status))];
    const [oldest] = this.#unfinished;
    if (ended.length > 0 || position !== this.#position) {
      await this.#store.add(ended, oldest === undefined ? position : Math.min(oldest - 1, position));
    }
    this.#position = position;
    return next.length === BATCH;
  }

  /** Those that had not ended and now have, at most a batch of them. */
  async #revisit(): Promise<SearchText[]> {
    if (this.#unfinished.size === 0) return [];
    const seqs = [...this.#unfinished];
    const running = await this.#store.unfinished(seqs);
    const done = seqs.filter((seq) => !running.has(seq)).slice(0, BATCH);
    for (const seq of done) this.#unfinished.delete(seq);
    return this.#store.some(done);
  }

  #schedule(pause: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#running = this.step()
        .catch((error) => {
          this.#onError(error);
          return false;
        })
        .then((more) =>
          this.#schedule(this.#isLoaded() ? LOADED_PAUSE_MS : more ? BUSY_PAUSE_MS : IDLE_PAUSE_MS),
        );
    }, pause);
    this.#timer.unref();
  }

  /** Whether this thread has been busy since it was last asked. */
  #isLoaded(): boolean {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization);
    this.#utilization = now;
    return utilization > LOADED_SHARE;
  }
}

const isEnded = (status: SearchText['status']): boolean => status === 'completed' || status === 'failed';
