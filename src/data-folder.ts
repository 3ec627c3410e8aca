import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { StartupError } from './errors.js';

/** A runner's own user passes through to the artifact it runs, and can list nothing. */
const PASSABLE = 0o711;
const PRIVATE = 0o700;

/** Where things are in a data folder. */
export interface DataFolderPaths {
  directory: string;
  /** 0700: whatever only the server may read. */
  privateDirectory: string;
  databaseFile: string;
  artifactsDirectory: string;
}

/** A data folder that this process holds. */
export interface DataFolder extends DataFolderPaths {
  /** Lets another server have it. */
  release(): void;
}

/** The paths in the data folder at `directory`, which need not exist. */
export function dataFolderPaths(directory: string): DataFolderPaths {
  const privateDirectory = join(directory, 'db');
  return {
    directory,
    privateDirectory,
    databaseFile: join(privateDirectory, 'executions.sqlite'),
    artifactsDirectory: join(directory, 'artifacts'),
  };
}

/**
 * Makes the data folder if it is not there, with the modes it must have, and takes its lock. The lock goes with the
 * process, however that ends.
 * @throws StartupError when another server has it, or when it can't be used.
 */
export function openDataFolder(directory: string): DataFolder {
  const paths = dataFolderPaths(directory);
  try {
    prepareRoot(paths);
    makeFolder(paths.privateDirectory, PRIVATE);
  } catch (error) {
    throw unusable(directory, error);
  }
  const lock = takeLock(paths);
  try {
    makeFolder(paths.artifactsDirectory, PASSABLE);
  } catch (error) {
    lock.close();
    throw unusable(directory, error);
  }
  return { ...paths, release: () => lock.close() };
}

function prepareRoot({ directory, privateDirectory }: DataFolderPaths): void {
  makeFolders(directory);
  const entries = readdirSync(directory).filter((name) => name !== 'lost+found');
  if (entries.length > 0 && !isFolder(privateDirectory)) {
    // Its mode is about to change: never that of a folder somebody named by mistake, such as a home or /tmp.
    throw new StartupError(
      `DATA_DIR ${directory} holds other files and is no data folder of this server. Set DATA_DIR to a folder of its own.`,
    );
  }
  accessSync(directory, constants.W_OK | constants.X_OK);
  // A mounted volume can belong to somebody else who lets us write; its mode is their choice.
  if (isOurs(directory)) setMode(directory, PASSABLE);
}

/** Like mkdir -p. Node's own never ends below a folder that denies that it is there, such as one of /proc. */
function makeFolders(path: string): void {
  if (isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolders(parent);
  mkdirSync(path);
}

/** The mode is set after the folder is made: the process's umask must not weaken or widen it. */
function makeFolder(path: string, mode: number): void {
  mkdirSync(path, { recursive: true, mode });
  setMode(path, mode);
}

function setMode(path: string, mode: number): void {
  if ((statSync(path).mode & 0o7777) !== mode) chmodSync(path, mode);
}

/**
 * SQLite's exclusive lock on an empty file of its own: the kernel gives it up when the process ends, so it is never
 * left behind, and any other connection, of this process too, is refused at once.
 */
function takeLock({ directory, privateDirectory }: DataFolderPaths): BetterSqlite3.Database {
  const file = join(privateDirectory, 'lock');
  let lock: BetterSqlite3.Database | undefined;
  try {
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
    lock = new BetterSqlite3(file, { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    if (error instanceof BetterSqlite3.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      throw new StartupError(
        `Another server is using the data folder ${directory}. Stop it, or set DATA_DIR to another folder.`,
      );
    }
    throw unusable(directory, error);
  }
}

function unusable(directory: string, error: unknown): StartupError {
  if (error instanceof StartupError) return error;
  const { code, message, path = directory } = error as NodeJS.ErrnoException;
  const change = 'or set DATA_DIR to another folder';
  switch (code) {
    case 'EEXIST':
    case 'ENOTDIR':
      return new StartupError(
        `DATA_DIR ${directory} can't be used: ${path} or a part of that path is a file, not a folder. Move it away, ${change}.`,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new StartupError(
        `DATA_DIR ${directory} can't be used: the user this server runs as may not write to ${path} (${code}). Give it to that user, ${change}.`,
      );
    default:
      return new StartupError(`DATA_DIR ${directory} can't be used: ${message}. Mend that, ${change}.`);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isOurs(path: string): boolean {
  const user = process.getuid?.();
  return user === undefined || user === 0 || statSync(path).uid === user;
}
