import type BetterSqlite3 from 'better-sqlite3';
import type { Database } from '../db/client.js';
import type { Room, Waiting } from '../engine/function-queue.js';
import type { Admitted } from './admission.js';
import type { Journal } from './journal.js';
import { admitEntry, endEntry, statusEntry } from './journal-entries.js';
import type { Ending, Execution, ExecutionStatus, Input, Trigger } from './types.js';

interface Row {
  seq: number;
  id: string;
  function_id: string;
  deployment_id: string;
  trigger: Trigger;
  status: ExecutionStatus;
  response_status_code: number;
  duration: number;
  created_at: number;
  updated_at: number;
  scheduled_at: number | null;
  user_id: string | null;
  request_method: string;
  request_path: string;
  request_headers: string;
  response_headers: string;
  logs: string | null;
  errors: string | null;
}

/** Characters of logs and errors that a list shows: their end. Contract: executions, list. */
const LIST_LOG_CHARACTERS = 4_000;

const statements = (sqlite: BetterSqlite3.Database) => ({
  byId: sqlite.prepare(
    `SELECT e.*, o.logs, o.errors FROM executions e LEFT JOIN execution_outputs o ON o.seq = e.seq WHERE e.id = ?`,
  ),
  bySeqForList: sqlite.prepare(
    `SELECT e.*, substr(o.logs, -${LIST_LOG_CHARACTERS}) AS logs, substr(o.errors, -${LIST_LOG_CHARACTERS}) AS errors
     FROM executions e LEFT JOIN execution_outputs o ON o.seq = e.seq WHERE e.seq = ?`,
  ),
  waiting: sqlite.prepare(
    `SELECT e.seq, e.id, e.trigger, e.request_method, e.request_path, e.request_headers, i.headers, i.body
     FROM executions e LEFT JOIN execution_inputs i ON i.seq = e.seq
     WHERE e.function_id = ? AND e.status = 'waiting' AND e.seq > ? ORDER BY e.seq LIMIT ?`,
  ),
  functionsWith: sqlite.prepare(
    `SELECT id FROM functions f
     WHERE EXISTS (SELECT 1 FROM executions e WHERE e.function_id = f.id AND e.status = ?)`,
  ),
  seqsWith: sqlite.prepare(
    'SELECT seq FROM executions WHERE function_id = ? AND status = ? ORDER BY seq LIMIT 500',
  ),
  oldest: sqlite.prepare('SELECT seq, created_at, status FROM executions WHERE seq > ? ORDER BY seq LIMIT ?'),
});

/**
 * The only way to the records of executions. Writes are on disk when their promise resolves, and reads see them: what
 * reads the tables waits until the journal is in them.
 */
export class ExecutionStore {
  readonly #sql: ReturnType<typeof statements>;
  readonly #journal: Journal;

  constructor(database: Database, journal: Journal) {
    this.#sql = statements(database.sqlite);
    this.#journal = journal;
  }

  /** Adds a record and gives it its sequence number; `input` is kept until it has ended. */
  insert(execution: Execution, input: Input | null): Promise<void> {
    execution.seq = this.#journal.nextSeq();
    return this.#journal.append(admitEntry(execution, input));
  }

  /** Sets the status of those that have status `from`. `deploymentId` null: it stays. */
  setStatus(
    seqs: number[],
    from: ExecutionStatus,
    to: ExecutionStatus,
    deploymentId: string | null,
    at: number,
  ): Promise<void> {
    return this.#journal.append(statusEntry(seqs, from, to, deploymentId, at));
  }

  /**
   * Writes down how an execution ended, unless it has ended already, and drops what it needed to run. `isAwaited`:
   * somebody waits for that.
   */
  end(seq: number, ending: Ending, isAwaited = true): Promise<void> {
    return this.#journal.append(endEntry(seq, ending), !isAwaited);
  }

  /** Resolves when the tables have all that was written before: for those who read them in another way. */
  settle(): Promise<void> {
    return this.#journal.settle();
  }

  async get(id: string): Promise<Execution | null> {
    await this.settle();
    const row = this.#sql.byId.get(id) as Row | undefined;
    return row ? fromRow(row) : null;
  }

  /** The records with these sequence numbers, in that order, logs and errors cut as lists show them. */
  async getForList(seqs: number[]): Promise<Execution[]> {
    const rows = seqs.map((seq) => this.#sql.bySeqForList.get(seq) as Row | undefined);
    return rows.filter((row) => row !== undefined).map(fromRow);
  }

  /**
   * Waiting executions of a function with what they need to run, oldest first. For the caller who alone starts them:
   * one that has started after the last one read can't be among them, so they are read ahead of the journal while the
   * tables have enough, or it is not urgent.
   */
  async waiting(functionId: string, afterSeq: number, room: Room): Promise<Waiting<WaitingExecution>> {
    const read = this.#waiting(functionId, afterSeq, room);
    if (read.end === 'more') return read;
    if (!room.isUrgent) return { ...read, end: 'so far' };
    await this.settle();
    return this.#waiting(functionId, afterSeq, room);
  }

  /** The first one is read however large it is. */
  #waiting(functionId: string, afterSeq: number, room: Room): Waiting<WaitingExecution> {
    const items: WaitingExecution[] = [];
    let { bytes } = room;
    const rows = this.#sql.waiting.iterate(functionId, afterSeq, room.count) as IterableIterator<WaitingRow>;
    for (const row of rows) {
      items.push(toWaiting(row));
      bytes -= row.body?.length ?? 0;
      if (bytes <= 0) return { items, end: 'more' };
    }
    return { items, end: items.length < room.count ? 'all' : 'more' };
  }

  /** Ids of the functions that have executions of that status. */
  async functionsWith(status: ExecutionStatus): Promise<string[]> {
    await this.settle();
    return (this.#sql.functionsWith.all(status) as { id: string }[]).map((row) => row.id);
  }

  /** Some (at most 500) of a function's executions of that status, oldest first. */
  async seqsWith(functionId: string, status: ExecutionStatus): Promise<number[]> {
    await this.settle();
    return (this.#sql.seqsWith.all(functionId, status) as { seq: number }[]).map((row) => row.seq);
  }

  /** The next records in the order of their making, after `afterSeq`; the newest may be missing for a moment. */
  async oldest(afterSeq: number, limit: number): Promise<Pick<Execution, 'seq' | 'createdAt' | 'status'>[]> {
    const rows = this.#sql.oldest.all(afterSeq, limit) as Pick<Row, 'seq' | 'created_at' | 'status'>[];
    return rows.map(({ seq, created_at, status }) => ({ seq, createdAt: created_at, status }));
  }

  /** Deletes records and all that belongs to them. */
  delete(seqs: number[]): Promise<void> {
    return this.#journal.run('delete', seqs);
  }
}

interface WaitingRow {
  seq: number;
  id: string;
  trigger: Trigger;
  request_method: string;
  request_path: string;
  request_headers: string;
  headers: string | null;
  body: Buffer | null;
}

export interface WaitingExecution extends Admitted, Input {}

function toWaiting(row: WaitingRow): WaitingExecution {
  return {
    seq: row.seq,
    id: row.id,
    trigger: row.trigger,
    requestMethod: row.request_method,
    requestPath: row.request_path,
    requestHeaders: JSON.parse(row.request_headers),
    headers: JSON.parse(row.headers ?? '{}'),
    body: row.body ?? Buffer.alloc(0),
  };
}

function fromRow(row: Row): Execution {
  return {
    seq: row.seq,
    id: row.id,
    functionId: row.function_id,
    deploymentId: row.deployment_id,
    trigger: row.trigger,
    status: row.status,
    requestMethod: row.request_method,
    requestPath: row.request_path,
    requestHeaders: JSON.parse(row.request_headers),
    responseStatusCode: row.response_status_code,
    responseHeaders: JSON.parse(row.response_headers),
    duration: row.duration,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    scheduledAt: row.scheduled_at,
    userId: row.user_id,
    logs: row.logs ?? '',
    errors: row.errors ?? '',
  };
}
