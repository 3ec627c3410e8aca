import { existsSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { StartupError } from '../errors.js';
import type { Database } from './client.js';
import * as schema from './schema.js';

/**
 * Opens a database that a server may be using at the same time, as it is: nothing is made and no migration applied.
 * @throws StartupError when there is none or it can't be opened.
 */
export function attachDatabase(file: string): Database {
  if (!existsSync(file)) {
    throw new StartupError(
      `There is no database at ${file}. Set DATA_DIR to the data folder of the server, or start the server once.`,
    );
  }
  try {
    const sqlite = new BetterSqlite3(file, { fileMustExist: true, timeout: 5_000 });
    sqlite.pragma('synchronous = FULL');
    return { sqlite, orm: drizzle({ client: sqlite, schema }), file, close: () => sqlite.close() };
  } catch (error) {
    throw new StartupError(
      `The database ${file} can't be used: ${(error as Error).message}. Run this as the user the server runs as, and check DATA_DIR.`,
    );
  }
}
