import BetterSqlite3 from 'better-sqlite3';
import { type Change, Changes } from './journal-changes.js';
import { decodeEntries } from './journal-entries.js';
import type { Execution, ExecutionStatus, SearchText } from './types.js';

/** Entries that go into the tables in one transaction; it takes one or two milliseconds, while others can't commit. */
const SLICE_ENTRIES = 128;
/** Fewer, when they are large. */
const SLICE_CHARACTERS = 4 * 1024 * 1024;
/** A checkpoint rewrites every page that has changed, so the fewer the better: after so many transactions, some 16 MiB. */
const TRANSACTIONS_PER_CHECKPOINT = 40;

/** Key of the mark in the database's small facts. */
export const SEARCH_MARK = 'search_indexed_through';

/** Other changes of the executions' tables, made in order with the journal's entries. */
export interface Operations {
  /** Deletes records and all that belongs to them. */
  delete(seqs: number[]): void;
  /** Adds texts that are not in the search index yet; every execution up to `mark` is in it then. */
  index(texts: SearchText[], mark: number): void;
}

/**
 * Whether an operation has only to do with what is in the tables already, and can be done again: it need not wait for
 * the journal, nor for the disk.
 */
export const isRepeatable = (name: keyof Operations): boolean => name === 'index';

const statements = (sqlite: BetterSqlite3.Database) => ({
  next: sqlite.prepare('SELECT id, entries FROM execution_journal ORDER BY id'),
  forget: sqlite.prepare('DELETE FROM execution_journal WHERE id <= ?'),
  lastSeq: sqlite.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'executions'").pluck(),
  status: sqlite.prepare('SELECT status FROM executions WHERE seq = ?').pluck(),
  insert: sqlite.prepare(
    `INSERT INTO executions (seq, id, function_id, deployment_id, trigger, status, response_status_code, duration,
       created_at, updated_at, scheduled_at, user_id, request_method, request_path, request_headers, response_headers)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ),
  setStatus: sqlite.prepare(
    'UPDATE executions SET status = ?, deployment_id = coalesce(?, deployment_id), updated_at = ? WHERE seq = ?',
  ),
  end: sqlite.prepare(
    `UPDATE executions SET status = ?, deployment_id = coalesce(?, deployment_id), updated_at = ?,
       response_status_code = ?, response_headers = ?, duration = ? WHERE seq = ?`,
  ),
  insertInput: sqlite.prepare('INSERT INTO execution_inputs (seq, headers, body) VALUES (?, ?, ?)'),
  deleteInput: sqlite.prepare('DELETE FROM execution_inputs WHERE seq = ?'),
  insertOutput: sqlite.prepare('INSERT INTO execution_outputs (seq, logs, errors) VALUES (?, ?, ?)'),
  deleteOutput: sqlite.prepare('DELETE FROM execution_outputs WHERE seq = ?'),
  remove: sqlite.prepare('DELETE FROM executions WHERE seq = ?'),
  unindex: sqlite.prepare('DELETE FROM execution_search WHERE rowid = ?'),
  isIndexed: sqlite.prepare('SELECT 1 FROM execution_search WHERE rowid = ?'),
  indexText: sqlite.prepare(
    'INSERT INTO execution_search (rowid, id, path, logs, errors) VALUES (?, ?, ?, ?, ?)',
  ),
  setMark: sqlite.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)'),
});

/** The main thread's share: adds a row to the journal. From now on, that connection leaves checkpoints to this store. */
export function prepareAppend(sqlite: BetterSqlite3.Database): BetterSqlite3.Statement {
  sqlite.pragma('wal_autocheckpoint = 0');
  return sqlite.prepare('INSERT INTO execution_journal (entries) VALUES (?)');
}

/** The journal's SQL, on a connection of its own. Everything here is synchronous: it is used in a thread of its own. */
export class JournalStore {
  readonly #sqlite: BetterSqlite3.Database;
  readonly #sql: ReturnType<typeof statements>;
  readonly #onSkipped: (seq: number, reason: string) => void;
  /** Since the last checkpoint. */
  #transactions = 0;

  /** `onSkipped` is told of a change that a constraint forbids; nothing but a bug or another program can cause that. */
  constructor(file: string, onSkipped: (seq: number, reason: string) => void) {
    this.#sqlite = new BetterSqlite3(file, { fileMustExist: true, timeout: 5_000 });
    this.#sqlite.pragma('cache_size = -65536');
    this.#sqlite.pragma('wal_autocheckpoint = 0');
    this.#sql = statements(this.#sqlite);
    this.#onSkipped = onSkipped;
  }

  /** The highest sequence number an execution in the tables ever had. */
  lastSeq(): number {
    return Number(this.#sql.lastSeq.get() ?? 0);
  }

  /** Brings the oldest entries into the tables. Answers how many characters they had; 0: the journal is empty. */
  apply(): number {
    // Lost with the power, it would be done again: the entries are there until the same commit takes them away.
    return this.#transaction('NORMAL', () => {
      const changes = new Changes((seq) => this.#sql.status.get(seq) as ExecutionStatus | undefined);
      let count = 0;
      let characters = 0;
      let lastId = 0;
      for (const { id, entries } of this.#sql.next.iterate() as Iterable<{ id: number; entries: string }>) {
        const decoded = decodeEntries(entries);
        for (const entry of decoded) changes.fold(entry);
        count += decoded.length;
        characters += entries.length;
        lastId = id;
        if (count >= SLICE_ENTRIES || characters >= SLICE_CHARACTERS) break;
      }
      for (const change of changes.all()) this.#writeOrSkip(change);
      this.#sql.forget.run(lastId);
      return characters;
    });
  }

  /** One of the other changes; on disk when it returns, unless it is repeatable. */
  operate<K extends keyof Operations>(name: K, args: Parameters<Operations[K]>): void {
    const operation = this.#operations[name] as (...args: Parameters<Operations[K]>) => void;
    this.#transaction(isRepeatable(name) ? 'NORMAL' : 'FULL', () => operation(...args));
  }

  /** Whether it is time for `checkpoint`. */
  get isCheckpointDue(): boolean {
    return this.#transactions >= TRANSACTIONS_PER_CHECKPOINT;
  }

  /**
   * Copies what the write-ahead log holds into the database. Others can write meanwhile; only when nobody has, the
   * log begins anew.
   */
  checkpoint(): void {
    this.#sqlite.pragma('wal_checkpoint(PASSIVE)');
    this.#transactions = 0;
  }

  close(): void {
    this.#sqlite.close();
  }

  readonly #operations: Operations = {
    delete: (seqs) => {
      for (const seq of seqs) {
        this.#sql.remove.run(seq);
        this.#sql.deleteInput.run(seq);
        this.#sql.deleteOutput.run(seq);
        this.#sql.unindex.run(seq);
      }
    },
    index: (texts, mark) => {
      for (const { seq, id, path, logs, errors } of texts) {
        if (!this.#sql.isIndexed.get(seq)) this.#sql.indexText.run(seq, id, path, logs, errors);
      }
      this.#sql.setMark.run(SEARCH_MARK, String(mark));
    },
  };

  #transaction<T>(synchronous: 'FULL' | 'NORMAL', work: () => T): T {
    const sqlite = this.#sqlite;
    this.#transactions += 1;
    sqlite.pragma(`synchronous = ${synchronous}`);
    sqlite.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      sqlite.exec('COMMIT');
      return result;
    } catch (error) {
      if (sqlite.inTransaction) sqlite.exec('ROLLBACK');
      throw error;
    }
  }

  /** A statement that breaks a constraint changes nothing, and the transaction goes on: one bad entry must not stop all. */
  #writeOrSkip(change: Change): void {
    try {
      this.#write(change);
    } catch (error) {
      const { code = '', message } = error as { code?: string; message: string };
      if (!code.startsWith('SQLITE_CONSTRAINT')) throw error;
      this.#onSkipped(change.seq, message);
    }
  }

  #write(change: Change): void {
    const { seq, status, record, input, deploymentId, ending, updatedAt } = change;
    if (record) this.#insert(record, change);
    else if (ending) {
      const { responseStatusCode, responseHeaders, duration } = ending;
      const headers = JSON.stringify(responseHeaders);
      this.#sql.end.run(status, deploymentId, updatedAt, responseStatusCode, headers, duration, seq);
      this.#sql.deleteInput.run(seq);
    } else if (updatedAt > 0) this.#sql.setStatus.run(status, deploymentId, updatedAt, seq);
    if (input) this.#sql.insertInput.run(seq, JSON.stringify(input.headers), input.body);
    if (ending && (ending.logs !== '' || ending.errors !== '')) {
      this.#sql.insertOutput.run(seq, ending.logs, ending.errors);
    }
  }

  #insert(record: Execution, { status, deploymentId, ending, updatedAt }: Change): void {
    this.#sql.insert.run(
      record.seq,
      record.id,
      record.functionId,
      deploymentId ?? record.deploymentId,
      record.trigger,
      status,
      ending?.responseStatusCode ?? 0,
      ending?.duration ?? 0,
      record.createdAt,
      updatedAt,
      record.scheduledAt,
      record.userId,
      record.requestMethod,
      record.requestPath,
      JSON.stringify(record.requestHeaders),
      JSON.stringify(ending?.responseHeaders ?? []),
    );
  }
}
