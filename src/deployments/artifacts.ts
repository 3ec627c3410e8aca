import { randomBytes } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { chmod, type FileHandle, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inParallel } from '../in-parallel.js';

const FILES_AT_ONCE = 16;
/** Runners pass through to the code they are told of, and can't list or guess another's. */
const PASSABLE = 0o711;
const READABLE = 0o444;
const EXECUTABLE = 0o555;
const EXECUTE_BITS = 0o111;
const TEMPORARY = /^\.tmp-[0-9a-f]{32}$/;
const ARTIFACT = /^[A-Za-z0-9][\w.-]*-[0-9a-f]{32}$/;

/** A folder to put the files of a new artifact into. End it with `commit` or `discard`. */
export interface Staging {
  /** Absolute path; empty at first, and only the server can reach it. */
  readonly directory: string;
  /**
   * Puts the artifact in its place for good: read-only and on disk when this resolves.
   * @returns the artifact's name
   */
  commit(deploymentId: string): Promise<string>;
  discard(): Promise<void>;
}

/** Where the files of deployments are kept. */
export interface ArtifactStore {
  stage(): Promise<Staging>;
  /** Absolute path of the folder with an artifact's files. */
  path(artifact: string): string;
  has(artifact: string): Promise<boolean>;
  remove(artifact: string): Promise<void>;
  /**
   * Removes what no deployment names: what a crash left of an artifact in the making, and artifacts whose deployment
   * is gone or was never recorded. Only while nothing is staged. Answers how many it removed.
   */
  sweep(kept: Iterable<string>): Promise<number>;
}

/** Artifacts as folders `<deployment's id>-<32 random hex digits>/code`. */
export class FolderArtifacts implements ArtifactStore {
  readonly #directory: string;

  /** `directory` exists. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async stage(): Promise<Staging> {
    const root = join(this.#directory, `.tmp-${randomHex()}`);
    const directory = join(root, 'code');
    await mkdir(root, { mode: 0o700 });
    await mkdir(directory, { mode: 0o700 });
    return {
      directory,
      commit: async (deploymentId) => {
        const artifact = `${deploymentId}-${randomHex()}`;
        await seal(directory);
        await chmod(root, PASSABLE);
        await syncPath(root);
        await rename(root, join(this.#directory, artifact));
        await syncPath(this.#directory);
        return artifact;
      },
      discard: () => removeSealed(root),
    };
  }

  path(artifact: string): string {
    if (!ARTIFACT.test(artifact)) throw new Error(`${JSON.stringify(artifact)} is no name of an artifact`);
    return join(this.#directory, artifact, 'code');
  }

  async has(artifact: string): Promise<boolean> {
    const entry = await lstat(this.path(artifact)).catch(ignoreMissing);
    return entry?.isDirectory() ?? false;
  }

  async remove(artifact: string): Promise<void> {
    await removeSealed(join(this.path(artifact), '..'));
  }

  async sweep(kept: Iterable<string>): Promise<number> {
    const wanted = new Set(kept);
    const unwanted = (await readdir(this.#directory)).filter(
      (name) => !wanted.has(name) && (TEMPORARY.test(name) || ARTIFACT.test(name)),
    );
    for (const name of unwanted) await removeSealed(join(this.#directory, name));
    return unwanted.length;
  }
}

const randomHex = (): string => randomBytes(16).toString('hex');

/** Makes a folder and all in it read-only and writes it to disk, the folders after what is in them. */
async function seal(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  await inParallel(files, FILES_AT_ONCE, async ({ name }) => {
    const path = join(directory, name);
    const { mode } = await lstat(path);
    await chmod(path, mode & EXECUTE_BITS ? EXECUTABLE : READABLE);
    await syncPath(path);
  });
  for (const { name } of entries.filter((entry) => entry.isDirectory())) await seal(join(directory, name));
  await chmod(directory, EXECUTABLE);
  await syncPath(directory);
}

async function syncPath(path: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    await handle.sync();
  } finally {
    await handle?.close();
  }
}

/** Only root can empty a read-only folder, so they are made writable first. */
async function removeSealed(path: string): Promise<void> {
  await makeWritable(path);
  await rm(path, { recursive: true, force: true });
}

async function makeWritable(directory: string): Promise<void> {
  let entries: Dirent[];
  try {
    await chmod(directory, 0o700);
    entries = await readdir(directory, { withFileTypes: true });
  } catch (error) {
    return ignoreMissing(error);
  }
  for (const entry of entries) {
    if (entry.isDirectory()) await makeWritable(join(directory, entry.name));
  }
}

function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
