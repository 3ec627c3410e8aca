import { Piscina } from 'piscina';
import { compiledFile } from '../compiled.js';
import type { WalkJob, WalkResult } from './listing-worker.js';

const MAX_THREADS = 2;
/** More walks than this are refused: at a second each, those behind would wait too long anyway. */
const MAX_QUEUE = 16;
const IDLE_MS = 30_000;
/** The budget is looked at row by row; should SQLite give no row for so long, waiting ends all the same. */
const GRACE_MS = 10_000;

/** Threads for the lists that no index serves. They start with the first of these and end when idle. */
export class Walker {
  readonly #file: string;
  #pool: Piscina<WalkJob, WalkResult> | undefined;

  /** @param file the database, which must be a real file */
  constructor(file: string) {
    this.#file = file;
  }

  /** The first column of each statement's rows; `null` when the budget was spent or too many walks wait. */
  async walk(job: WalkJob): Promise<WalkResult> {
    this.#pool ??= this.#start();
    if (this.#pool.queueSize >= MAX_QUEUE) return null;
    const signal = AbortSignal.timeout(job.budgetMs + GRACE_MS);
    try {
      return await this.#pool.run(job, { signal });
    } catch (error) {
      if (signal.aborted) return null;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#pool?.destroy();
    this.#pool = undefined;
  }

  #start(): Piscina<WalkJob, WalkResult> {
    return new Piscina<WalkJob, WalkResult>({
      filename: compiledFile(import.meta.url, './listing-worker.js'),
      minThreads: 0,
      maxThreads: MAX_THREADS,
      idleTimeout: IDLE_MS,
      workerData: { file: this.#file },
      env: {},
    });
  }
}
