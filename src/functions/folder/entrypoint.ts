import { readFile, realpath, stat } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { FunctionFault } from './definition.js';
import { isWithin } from './source-tree.js';

const BASES = ['src/main', 'src/index', 'main', 'index'];
const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs', '.cjs'];

/**
 * The file that exports the function, relative to `root`: the one that was named, else the first that exists of the
 * usual names, else `main` of package.json.
 * @throws FunctionFault when there is none.
 */
export async function findEntrypoint(root: string, named: string | undefined): Promise<string> {
  if (named !== undefined) return checkNamed(root, named, 'its entrypoint');
  for (const base of BASES) {
    for (const extension of EXTENSIONS) {
      if (await isFileIn(root, base + extension)) return base + extension;
    }
  }
  const main = await packageMain(root);
  if (main !== undefined) return checkNamed(root, main, '"main" of its package.json');
  throw new FunctionFault(
    `it has no entrypoint: expected ${BASES.join(', ')} with ${EXTENSIONS.join(' ')}, or "main" in its package.json`,
  );
}

async function checkNamed(root: string, named: string, what: string): Promise<string> {
  const path = normalize(named);
  if (path.startsWith('/') || path.split('/')[0] === '..') {
    throw new FunctionFault(`${what}, ${named}, must be a path within its folder`);
  }
  if (await isFileIn(root, path)) return path;
  throw new FunctionFault(`${what}, ${named}, does not exist`);
}

async function isFileIn(root: string, path: string): Promise<boolean> {
  try {
    const real = await realpath(join(root, path));
    return isWithin(root, real) && (await stat(real)).isFile();
  } catch {
    return false;
  }
}

async function packageMain(root: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(join(root, 'package.json'), 'utf8');
  } catch {
    return undefined;
  }
  try {
    const { main } = JSON.parse(text) as { main?: unknown };
    return typeof main === 'string' && main !== '' ? main : undefined;
  } catch (error) {
    throw new FunctionFault(`its package.json is not JSON: ${(error as Error).message}`);
  }
}
