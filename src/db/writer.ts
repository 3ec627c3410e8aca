import type BetterSqlite3 from 'better-sqlite3';
import type { MainWriteLock } from './write-lock.js';

/** A change that nobody waits for is committed with the next one that somebody does, or after this long, ms. */
const PATIENCE_MS = 5;

interface Change {
  run(): unknown;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

/**
 * Group commit: all changes asked for in one turn of the event loop share one transaction and one fsync.
 * The promise of a change resolves after that commit, so what it answers is on disk.
 */
export class Writer {
  readonly #begin: BetterSqlite3.Statement;
  readonly #end: BetterSqlite3.Statement;
  readonly #sqlite: BetterSqlite3.Database;
  #queue: Change[] = [];
  #scheduled = false;
  #patience: NodeJS.Timeout | null = null;
  #lock: MainWriteLock | null = null;

  constructor(sqlite: BetterSqlite3.Database) {
    this.#sqlite = sqlite;
    this.#begin = sqlite.prepare('BEGIN IMMEDIATE');
    this.#end = sqlite.prepare('COMMIT');
  }

  /** From now on, writes while `lock` can be had; who else has it calls `flush` when it is free. */
  share(lock: MainWriteLock): void {
    this.#lock = lock;
  }

  /**
   * Runs `change` in the next group and resolves with what it returned, once that is committed.
   * `change` must be synchronous and do nothing but SQL: it runs again, alone, if another change of its group fails.
   * `isPatient`: nobody waits for it, so it can wait for company.
   */
  write<T>(change: () => T, isPatient = false): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ run: change, resolve: resolve as (value: unknown) => void, reject });
      if (isPatient) this.#patience ??= setTimeout(() => this.hurry(), PATIENCE_MS);
      else this.hurry();
    });
  }

  /** Somebody waits now for what was patient. */
  hurry(): void {
    if (this.#scheduled || this.#queue.length === 0) return;
    this.#scheduled = true;
    // After this turn's I/O events: whatever they bring joins the group.
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** Commits what waits, if the lock can be had. */
  flush(): void {
    if (this.#queue.length === 0 || this.#lock?.tryAcquire() === false) return;
    const group = this.#queue;
    this.#queue = [];
    if (this.#patience) clearTimeout(this.#patience);
    this.#patience = null;
    try {
      this.#write(group);
    } finally {
      this.#lock?.release();
    }
  }

  #write(group: Change[]): void {
    let results: unknown[];
    try {
      results = this.#commit(group);
    } catch {
      // One of them failed, and with it the whole transaction: each gets its own, so only the guilty one is told.
      for (const change of group) this.#alone(change);
      return;
    }
    for (let i = 0; i < group.length; i++) group[i]!.resolve(results[i]);
  }

  #alone(change: Change): void {
    let result: unknown;
    try {
      [result] = this.#commit([change]);
    } catch (error) {
      change.reject(error);
      return;
    }
    change.resolve(result);
  }

  #commit(group: Change[]): unknown[] {
    const sqlite = this.#sqlite;
    this.#begin.run();
    try {
      const results = group.map((change) => change.run());
      this.#end.run();
      return results;
    } catch (error) {
      if (sqlite.inTransaction) sqlite.exec('ROLLBACK');
      throw error;
    }
  }
}
