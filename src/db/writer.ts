import type BetterSqlite3 from 'better-sqlite3';

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
  readonly #sqlite: BetterSqlite3.Database;
  #queue: Change[] = [];
  #scheduled = false;

  constructor(sqlite: BetterSqlite3.Database) {
    this.#sqlite = sqlite;
  }

  /**
   * Runs `change` in the next group and resolves with what it returned, once that is committed.
   * `change` must be synchronous and do nothing but SQL: it runs again, alone, if another change of its group fails.
   */
  write<T>(change: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ run: change, resolve: resolve as (value: unknown) => void, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      // After this turn's I/O events: whatever they bring joins the group.
      setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    this.#scheduled = false;
    const group = this.#queue;
    this.#queue = [];
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
    sqlite.exec('BEGIN IMMEDIATE');
    try {
      const results = group.map((change) => change.run());
      sqlite.exec('COMMIT');
      return results;
    } catch (error) {
      if (sqlite.inTransaction) sqlite.exec('ROLLBACK');
      throw error;
    }
  }
}
