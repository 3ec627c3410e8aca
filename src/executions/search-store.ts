import type BetterSqlite3 from 'better-sqlite3';
import type { Database } from '../db/client.js';
import type { Journal } from './journal.js';
import { SEARCH_MARK } from './journal-store.js';
import type { SearchText } from './types.js';

/** Characters of logs and of errors, from the end, whose words are indexed. */
const INDEXED_CHARACTERS = 50_000;
const COLUMNS = `e.seq, e.status, e.id, e.request_path AS path,
  coalesce(substr(o.logs, -${INDEXED_CHARACTERS}), '') AS logs,
  coalesce(substr(o.errors, -${INDEXED_CHARACTERS}), '') AS errors`;

const statements = (sqlite: BetterSqlite3.Database) => ({
  next: sqlite.prepare(
    `SELECT ${COLUMNS} FROM executions e LEFT JOIN execution_outputs o ON o.seq = e.seq
     WHERE e.seq > ? ORDER BY e.seq LIMIT ?`,
  ),
  one: sqlite.prepare(
    `SELECT ${COLUMNS} FROM executions e LEFT JOIN execution_outputs o ON o.seq = e.seq WHERE e.seq = ?`,
  ),
  status: sqlite.prepare('SELECT status FROM executions WHERE seq = ?').pluck(),
  mark: sqlite.prepare('SELECT value FROM meta WHERE key = ?').pluck(),
});

/** What there is to index for search; the index itself is written behind the journal. */
export class SearchStore {
  readonly #sql: ReturnType<typeof statements>;
  readonly #journal: Journal;

  constructor(database: Database, journal: Journal) {
    this.#sql = statements(database.sqlite);
    this.#journal = journal;
  }

  /** Every execution up to this sequence number is in the index, or gone. */
  async mark(): Promise<number> {
    return Number(this.#sql.mark.get(SEARCH_MARK) ?? 0);
  }

  /** Executions after `seq`, in order. */
  async next(seq: number, limit: number): Promise<SearchText[]> {
    return this.#sql.next.all(seq, limit) as SearchText[];
  }

  /** Those of these executions that have not ended. */
  async unfinished(seqs: number[]): Promise<Set<number>> {
    const ended = new Set<unknown>(['completed', 'failed', undefined]);
    return new Set(seqs.filter((seq) => !ended.has(this.#sql.status.get(seq))));
  }

  /** Those of these executions that still exist. */
  async some(seqs: number[]): Promise<SearchText[]> {
    return seqs
      .map((seq) => this.#sql.one.get(seq) as SearchText | undefined)
      .filter((text) => text !== undefined);
  }

  /** Adds texts that are not in the index yet, and moves the mark. */
  add(texts: SearchText[], mark: number): Promise<void> {
    return this.#journal.run('index', texts, mark);
  }
}
