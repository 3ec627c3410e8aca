/**
 * SQLite takes one writer at a time, and waits for another by sleeping. Within this process it is settled here instead:
 * the main thread, which must not wait long, and a thread that writes in the background take turns, the main thread first.
 */

const HOLDER = 0;
const MAIN_WAITS = 1;

const NOBODY = 0;
const MAIN = 1;
const BACKGROUND = 2;

export const createWriteLock = (): SharedArrayBuffer => new SharedArrayBuffer(8);

/** The main thread waits for so long itself, ms: being woken by a message takes as long as most of what it waits for. */
const MAIN_PATIENCE_MS = 1;

/** The main thread's side. */
export class MainWriteLock {
  readonly #state: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#state = new Int32Array(memory);
  }

  /** Takes the lock if it is free, or will be in a moment. If not, the other side makes way, and says when it has. */
  tryAcquire(): boolean {
    if (this.#take()) return true;
    Atomics.store(this.#state, MAIN_WAITS, 1);
    // If it has been given back meanwhile, there is nothing to wait for.
    Atomics.wait(this.#state, HOLDER, BACKGROUND, MAIN_PATIENCE_MS);
    return this.#take();
  }

  release(): void {
    Atomics.store(this.#state, HOLDER, NOBODY);
    Atomics.notify(this.#state, HOLDER);
  }

  #take(): boolean {
    if (Atomics.compareExchange(this.#state, HOLDER, NOBODY, MAIN) !== NOBODY) return false;
    if (Atomics.exchange(this.#state, MAIN_WAITS, 0) === 1) Atomics.notify(this.#state, MAIN_WAITS);
    return true;
  }
}

/** The background thread's side. */
export class BackgroundWriteLock {
  readonly #state: Int32Array;
  readonly #onGivenWay: () => void;

  /** `onGivenWay` is called when the lock is free and the main thread waits for it. */
  constructor(memory: SharedArrayBuffer, onGivenWay: () => void) {
    this.#state = new Int32Array(memory);
    this.#onGivenWay = onGivenWay;
  }

  /** Runs `work` with the lock held; waits for it as long as it takes. */
  with<T>(work: () => T): T {
    this.#acquire();
    try {
      return work();
    } finally {
      Atomics.store(this.#state, HOLDER, NOBODY);
      // A main thread that waits still has it now, one that has given up is told.
      if (Atomics.notify(this.#state, HOLDER) === 0 && Atomics.load(this.#state, MAIN_WAITS) === 1) {
        this.#onGivenWay();
      }
    }
  }

  #acquire(): void {
    for (;;) {
      Atomics.wait(this.#state, MAIN_WAITS, 1);
      const holder = Atomics.compareExchange(this.#state, HOLDER, NOBODY, BACKGROUND);
      if (holder === NOBODY) return;
      Atomics.wait(this.#state, HOLDER, holder);
    }
  }
}
