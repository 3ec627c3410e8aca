/**
 * The far end of `listing-walker.ts`: a thread with a read-only connection of its own, so that a long walk
 * through a table keeps nobody else waiting.
 */
import { workerData } from 'node:worker_threads';
import BetterSqlite3 from 'better-sqlite3';

export interface WalkJob {
  statements: { sql: string; params: (string | number)[] }[];
  budgetMs: number;
}

/** The first column of each statement's rows, or `null` when the budget was spent. */
export type WalkResult = (string | number)[][] | null;

/** The clock is read once in so many rows. */
const ROWS_BETWEEN_LOOKS = 64;

class BudgetSpent extends Error {}

let sqlite: BetterSqlite3.Database | undefined;
let deadline = 0;
let rows = 0;

/** Runs the statements, all on the same state of the database, until the budget is spent. */
export default function walk({ statements, budgetMs }: WalkJob): WalkResult {
  // Opened by the first job, so that a failure is that job's and not the thread's.
  sqlite ??= open((workerData as { file: string }).file);
  const connection = sqlite;
  deadline = performance.now() + budgetMs;
  const run = connection.transaction(() =>
    statements.map(({ sql, params }) =>
      connection
        .prepare<unknown[], string | number>(sql)
        .pluck()
        .all(...params),
    ),
  );
  try {
    return run();
  } catch (error) {
    if (error instanceof BudgetSpent) return null;
    throw error;
  }
}

function open(file: string): BetterSqlite3.Database {
  const connection = new BetterSqlite3(file, { readonly: true, fileMustExist: true });
  connection.pragma('busy_timeout = 5000');
  // It takes the row's number and is not deterministic, so SQLite must call it for each row.
  connection.function('within_budget', { deterministic: false }, (_sequence: unknown) => {
    rows += 1;
    if (rows % ROWS_BETWEEN_LOOKS === 0 && performance.now() > deadline) throw new BudgetSpent();
    return 1;
  });
  return connection;
}
