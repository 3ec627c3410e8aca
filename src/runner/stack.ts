import { realpathSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** What the frames of the runner have in their file names. */
const OWN_FILES = [
  fileURLToPath(new URL('.', import.meta.url)),
  fileURLToPath(new URL('../engine/', import.meta.url)),
  '/piscina/dist/worker.js',
];

/** What a second attempt to load a module adds to its address. */
export const ATTEMPT_QUERY = '?attempt=';

/** Rewrites a text that may hold a stack trace: see `createCleaner`. */
export type Cleaner = (text: string) => string;

/**
 * Makes a function that shortens the file names in a text to what is relative to the deployment's root
 * `codeDirectory` and takes the frames of the runner and of Node's own inside out of stack traces.
 */
export function createCleaner(codeDirectory: string): Cleaner {
  const folders = new Set([codeDirectory, realPath(codeDirectory)]);
  const prefixes = [...folders].flatMap((folder) => {
    const withSlash = folder.endsWith('/') ? folder : `${folder}/`;
    return [pathToFileURL(withSlash).href, withSlash];
  });
  // Not in the middle of a longer path or address.
  const prefix = new RegExp(`(?<![\\w.~%@:/-])(?:${prefixes.map(escapeForRegExp).join('|')})`, 'g');
  return (text) => {
    let short = text.replace(prefix, '');
    if (short.includes(ATTEMPT_QUERY)) short = short.replace(/\?attempt=\d+/g, '');
    return short.includes('\n    at ') ? withoutOwnFrames(short) : short;
  };
}

/**
 * Below a frame of the runner there is what called it: Node, as a rule, but the function if it is a member of `req` or
 * `res` that threw.
 */
function withoutOwnFrames(text: string): string {
  let below = false;
  return text
    .split('\n')
    .filter((line) => {
      if (!line.startsWith('    at ')) {
        below = false;
        return true;
      }
      const own = OWN_FILES.some((file) => line.includes(file));
      below = own || (below && /\bnode:/.test(line));
      return !below && !/\bnode:internal\//.test(line);
    })
    .join('\n');
}

const escapeForRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // It is not there: loading the function will say so.
  }
}
