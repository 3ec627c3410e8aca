import type BetterSqlite3 from 'better-sqlite3';
import type { Database } from '../db/client.js';
import type { Writer } from '../db/writer.js';
import type { HeaderList } from '../engine/types.js';
import type { Execution, ExecutionStatus, Trigger } from './types.js';

/** A new record, before it has its place in the order. */
export type NewExecution = Omit<
  Execution,
  'seq' | 'logs' | 'errors' | 'responseHeaders' | 'responseStatusCode' | 'duration'
>;

/** What a waiting execution needs to run. */
export interface Input {
  headers: Record<string, string>;
  body: Buffer;
}

/** How it ended. */
export interface Ending {
  status: ExecutionStatus;
  responseStatusCode: number;
  responseHeaders: HeaderList;
  /** Seconds. */
  duration: number;
  logs: string;
  errors: string;
  at: number;
}

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
  insert: sqlite.prepare(
    `INSERT INTO executions (id, function_id, deployment_id, trigger, status, created_at, updated_at, scheduled_at,
       user_id, request_method, request_path, request_headers)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ),
  insertInput: sqlite.prepare('INSERT INTO execution_inputs (seq, headers, body) VALUES (?, ?, ?)'),
  deleteInput: sqlite.prepare('DELETE FROM execution_inputs WHERE seq = ?'),
  insertOutput: sqlite.prepare(
    'INSERT OR REPLACE INTO execution_outputs (seq, logs, errors) VALUES (?, ?, ?)',
  ),
  deleteOutput: sqlite.prepare('DELETE FROM execution_outputs WHERE seq = ?'),
  setStatus: sqlite.prepare(
    `UPDATE executions SET status = @to, deployment_id = coalesce(@deploymentId, deployment_id), updated_at = @at
     WHERE seq = @seq AND status = @from`,
  ),
  end: sqlite.prepare(
    `UPDATE executions SET status = ?, response_status_code = ?, response_headers = ?, duration = ?, updated_at = ?
     WHERE seq = ? AND status IN ('waiting', 'processing', 'scheduled')`,
  ),
  byId: sqlite.prepare(
    `SELECT e.*, o.logs, o.errors FROM executions e LEFT JOIN execution_outputs o ON o.seq = e.seq WHERE e.id = ?`,
  ),
  bySeqForList: sqlite.prepare(
    `SELECT e.*, substr(o.logs, -${LIST_LOG_CHARACTERS}) AS logs, substr(o.errors, -${LIST_LOG_CHARACTERS}) AS errors
     FROM executions e LEFT JOIN execution_outputs o ON o.seq = e.seq WHERE e.seq = ?`,
  ),
  waiting: sqlite.prepare(
    `SELECT e.seq, e.id, e.request_method, e.request_path, i.headers, i.body
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
  remove: sqlite.prepare('DELETE FROM executions WHERE seq = ?'),
  unindex: sqlite.prepare('DELETE FROM execution_search WHERE rowid = ?'),
  oldest: sqlite.prepare('SELECT seq, created_at, status FROM executions WHERE seq > ? ORDER BY seq LIMIT ?'),
});

/** The only SQL on executions. All writes are committed when their promise resolves. */
export class ExecutionStore {
  readonly #sql: ReturnType<typeof statements>;
  readonly #writer: Writer;

  constructor(database: Database, writer: Writer) {
    this.#sql = statements(database.sqlite);
    this.#writer = writer;
  }

  /** Adds a record; `input` is kept until it has ended. Answers its sequence number. */
  insert(record: NewExecution, input: Input | null): Promise<number> {
    const headers = JSON.stringify(record.requestHeaders);
    return this.#writer.write(() => {
      const { lastInsertRowid } = this.#sql.insert.run(
        record.id,
        record.functionId,
        record.deploymentId,
        record.trigger,
        record.status,
        record.createdAt,
        record.updatedAt,
        record.scheduledAt,
        record.userId,
        record.requestMethod,
        record.requestPath,
        headers,
      );
      const seq = Number(lastInsertRowid);
      if (input) this.#sql.insertInput.run(seq, JSON.stringify(input.headers), input.body);
      return seq;
    });
  }

  /** Sets the status of those that have status `from`. `deploymentId` null: it stays. */
  setStatus(
    seqs: number[],
    from: ExecutionStatus,
    to: ExecutionStatus,
    deploymentId: string | null,
    at: number,
  ): Promise<void> {
    return this.#writer.write(() => {
      for (const seq of seqs) this.#sql.setStatus.run({ seq, from, to, deploymentId, at });
    });
  }

  /** Writes down how an execution ended, unless it has ended already, and drops what it needed to run. */
  end(seq: number, ending: Ending): Promise<void> {
    const headers = JSON.stringify(ending.responseHeaders);
    return this.#writer.write(() => {
      const { status, responseStatusCode, duration, logs, errors, at } = ending;
      const { changes } = this.#sql.end.run(status, responseStatusCode, headers, duration, at, seq);
      if (changes === 0) return;
      if (logs !== '' || errors !== '') this.#sql.insertOutput.run(seq, logs, errors);
      this.#sql.deleteInput.run(seq);
    });
  }

  async get(id: string): Promise<Execution | null> {
    const row = this.#sql.byId.get(id) as Row | undefined;
    return row ? fromRow(row) : null;
  }

  /** The records with these sequence numbers, in that order, logs and errors cut as lists show them. */
  async getForList(seqs: number[]): Promise<Execution[]> {
    const rows = seqs.map((seq) => this.#sql.bySeqForList.get(seq) as Row | undefined);
    return rows.filter((row) => row !== undefined).map(fromRow);
  }

  /** Waiting executions of a function with what they need to run, oldest first. */
  async waiting(functionId: string, afterSeq: number, limit: number): Promise<WaitingExecution[]> {
    const rows = this.#sql.waiting.all(functionId, afterSeq, limit) as {
      seq: number;
      id: string;
      request_method: string;
      request_path: string;
      headers: string | null;
      body: Buffer | null;
    }[];
    return rows.map((row) => ({
      seq: row.seq,
      id: row.id,
      method: row.request_method,
      path: row.request_path,
      headers: JSON.parse(row.headers ?? '{}'),
      body: row.body ?? Buffer.alloc(0),
    }));
  }

  /** Ids of the functions that have executions of that status. */
  async functionsWith(status: ExecutionStatus): Promise<string[]> {
    return (this.#sql.functionsWith.all(status) as { id: string }[]).map((row) => row.id);
  }

  /** Some (at most 500) of a function's executions of that status, oldest first. */
  async seqsWith(functionId: string, status: ExecutionStatus): Promise<number[]> {
    return (this.#sql.seqsWith.all(functionId, status) as { seq: number }[]).map((row) => row.seq);
  }

  /** The next records in the order of their making, after `afterSeq`. */
  async oldest(afterSeq: number, limit: number): Promise<Pick<Execution, 'seq' | 'createdAt' | 'status'>[]> {
    const rows = this.#sql.oldest.all(afterSeq, limit) as Pick<Row, 'seq' | 'created_at' | 'status'>[];
    return rows.map(({ seq, created_at, status }) => ({ seq, createdAt: created_at, status }));
  }

  /** Deletes records and all that belongs to them. */
  delete(seqs: number[]): Promise<void> {
    return this.#writer.write(() => {
      for (const seq of seqs) {
        this.#sql.remove.run(seq);
        this.#sql.deleteInput.run(seq);
        this.#sql.deleteOutput.run(seq);
        this.#sql.unindex.run(seq);
      }
    });
  }
}

export interface WaitingExecution extends Input {
  seq: number;
  id: string;
  method: string;
  path: string;
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
