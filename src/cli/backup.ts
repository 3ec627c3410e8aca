import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from '../config.js';
import { dataFolderPaths } from '../data-folder.js';
import { attachDatabase } from '../db/attach.js';
import { StartupError } from '../errors.js';

/** More than a database can have. */
const ALL_PAGES = 0x7fffffff;

/**
 * Writes a copy of the database to a new file that only its owner can read, beside a running server too.
 * @throws StartupError when the file is there already or can't be written; nothing is left of it then.
 */
export async function backup({ dataDir }: Config, name: string): Promise<void> {
  const database = attachDatabase(dataFolderPaths(dataDir).databaseFile);
  const file = resolve(name);
  try {
    reserve(file);
    try {
      // All in one step, so in one read transaction: between steps the server's writes would start it anew.
      await database.sqlite.backup(file, { progress: () => ALL_PAGES });
      sync(file);
    } catch (error) {
      rmSync(file, { force: true });
      throw new StartupError(`The backup ${file} could not be written: ${(error as Error).message}.`);
    }
  } finally {
    database.close();
  }
  process.stderr.write(
    `Wrote ${file}. Keep a copy of ${dataFolderPaths(dataDir).artifactsDirectory} with it.\n`,
  );
}

function reserve(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      throw new StartupError(`${file} is there already. Give a file that is not.`);
    }
    throw new StartupError(`${file} can't be made: ${message}. Give another file.`);
  }
}

function sync(file: string): void {
  const descriptor = openSync(file, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
