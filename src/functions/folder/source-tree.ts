import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  constants,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  symlink,
} from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { inParallel } from '../../in-parallel.js';
import { FunctionFault } from './definition.js';

/** Left out at every depth: history and secrets are no code. */
const LEFT_OUT = ['.git', '.env'];
const FILES_AT_ONCE = 16;
const WHOLE_FILE_BYTES = 1024 * 1024;

/** One thing below the root. Paths have `/` between their parts. */
type Entry = { path: string } & (
  | { kind: 'folder' }
  | { kind: 'file'; size: number; executable: boolean }
  /** `target` is relative to the folder the link is in. */
  | { kind: 'link'; target: string }
);

/** The files of a function, as they were found. */
export interface SourceTree {
  /** Absolute path without links. */
  root: string;
  /** By path; a folder is before what is in it. */
  entries: Entry[];
  /** Bytes of all files together. */
  size: number;
}

/**
 * Looks at everything in a folder except `.git` and `.env`.
 * @throws FunctionFault at a link that leads out of the folder, and at what is no file, folder or link.
 */
export async function scanTree(directory: string): Promise<SourceTree> {
  const root = await realpath(directory);
  const entries: Entry[] = [];
  await scanFolder(root, '', entries);
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  const size = entries.reduce((sum, entry) => sum + (entry.kind === 'file' ? entry.size : 0), 0);
  return { root, entries, size };
}

async function scanFolder(root: string, folder: string, entries: Entry[]): Promise<void> {
  for (const found of await readdir(join(root, folder), { withFileTypes: true })) {
    if (LEFT_OUT.includes(found.name)) continue;
    const path = folder === '' ? found.name : `${folder}/${found.name}`;
    if (found.isDirectory()) {
      entries.push({ path, kind: 'folder' });
      await scanFolder(root, path, entries);
    } else if (found.isFile()) {
      const { size, mode } = await lstat(join(root, path));
      entries.push({ path, kind: 'file', size, executable: (mode & 0o111) !== 0 });
    } else if (found.isSymbolicLink()) {
      entries.push({ path, kind: 'link', target: await linkTarget(root, path) });
    } else {
      throw new FunctionFault(`${path} is neither a file nor a folder nor a link: move it out of the folder`);
    }
  }
}

/** Where a link leads, in a form that still holds when the whole tree is somewhere else. */
async function linkTarget(root: string, path: string): Promise<string> {
  const file = join(root, path);
  const target = await readlink(file);
  const lexical = resolve(dirname(file), target);
  // The parts of its target can be links themselves; one that leads nowhere leads nowhere in the copy too.
  const real = await realpath(file).catch(() => lexical);
  if (!isWithin(root, lexical) || !isWithin(root, real)) {
    throw new FunctionFault(
      `${path} is a link that leads out of the folder, to ${target}: put a copy in its place`,
    );
  }
  return isAbsolute(target) ? relative(dirname(file), lexical) || '.' : target;
}

/** Whether `path` is `folder` or below it; both absolute. */
export function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** SHA-256 (hex) over paths, contents, executable bits and targets of links, and over `salt`. */
export async function digestTree({ root, entries }: SourceTree, salt: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(salt));
  for (const entry of entries) {
    const size = entry.kind === 'file' ? undefined : 0;
    hash.update(`\n${JSON.stringify({ ...entry, size })}`);
    if (entry.kind === 'file') hash.update(await digestFile(join(root, entry.path), entry.size));
  }
  return hash.digest('hex');
}

async function digestFile(path: string, size: number): Promise<Buffer> {
  const hash: Hash = createHash('sha256');
  if (size <= WHOLE_FILE_BYTES) return hash.update(await readFile(path)).digest();
  for await (const chunk of createReadStream(path, { highWaterMark: WHOLE_FILE_BYTES })) hash.update(chunk);
  return hash.digest();
}

/** Copies a tree into an empty folder. Executable bits are kept. */
export async function copyTree({ root, entries }: SourceTree, target: string): Promise<void> {
  for (const entry of entries) {
    if (entry.kind === 'folder') await mkdir(join(target, entry.path));
  }
  const files = entries.filter((entry) => entry.kind === 'file');
  await inParallel(files, FILES_AT_ONCE, ({ path }) =>
    copyFile(join(root, path), join(target, path), constants.COPYFILE_FICLONE),
  );
  for (const entry of entries) {
    if (entry.kind === 'link') await symlink(entry.target, join(target, entry.path));
  }
}
