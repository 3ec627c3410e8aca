import { chmodSync, closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import BetterSqlite3 from 'better-sqlite3';
import { type BetterSQLite3Database, drizzle } from 'drizzle-orm/better-sqlite3';
import { migrate } from 'drizzle-orm/better-sqlite3/migrator';
import { StartupError } from '../errors.js';
import * as schema from './schema.js';

const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url));

export interface Database {
  /** For the hot path: statements prepared once. */
  readonly sqlite: BetterSqlite3.Database;
  /** For everything else. */
  readonly orm: BetterSQLite3Database<typeof schema>;
  readonly file: string;
  close(): void;
}

/**
 * Opens (or makes, mode 0600) the database and brings its schema up to date.
 * @throws StartupError when the file can't be opened, or was written by a newer version of this server.
 */
export function openDatabase(file: string): Database {
  const sqlite = open(file);
  try {
    // A commit is on disk when it returns: what a client was told is never lost, not even with the power.
    sqlite.pragma('journal_mode = WAL');
    sqlite.pragma('synchronous = FULL');
    sqlite.pragma('busy_timeout = 5000');
    sqlite.pragma('cache_size = -65536');
    // A write-ahead log that grew large once is cut back at the next checkpoint.
    sqlite.pragma('journal_size_limit = 67108864');
    refuseNewerSchema(sqlite, file);
    const orm = drizzle({ client: sqlite, schema });
    migrate(orm, { migrationsFolder: MIGRATIONS_FOLDER });
    return { sqlite, orm, file, close: () => sqlite.close() };
  } catch (error) {
    sqlite.close();
    throw asStartupError(error, file);
  }
}

function open(file: string): BetterSqlite3.Database {
  try {
    // SQLite gives its -wal and -shm files the mode of the database itself.
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
    return new BetterSqlite3(file);
  } catch (error) {
    throw asStartupError(error, file);
  }
}

function asStartupError(error: unknown, file: string): StartupError {
  if (error instanceof StartupError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new StartupError(
    `The database ${file} can't be used: ${reason}. Check that the file is a database of this server and that its folder is writable, or set another DATA_DIR.`,
  );
}

/** The newest migration of this build and the newest one applied, both by drizzle's own timestamps. */
function refuseNewerSchema(sqlite: BetterSqlite3.Database, file: string): void {
  const journal = JSON.parse(readFileSync(`${MIGRATIONS_FOLDER}/meta/_journal.json`, 'utf8')) as {
    entries: { when: number }[];
  };
  const known = Math.max(...journal.entries.map((entry) => entry.when));
  const table = sqlite
    .prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '__drizzle_migrations'")
    .get();
  if (!table) return;
  const row = sqlite.prepare('SELECT max(created_at) AS newest FROM __drizzle_migrations').get() as {
    newest: number | null;
  };
  if (Number(row.newest ?? 0) > known) {
    throw new StartupError(
      `The database ${file} was written by a newer version of this server. Start that version, or restore a backup made with this one.`,
    );
  }
}
