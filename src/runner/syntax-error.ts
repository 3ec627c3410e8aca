import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { CodeLocation } from './load.js';
import type { Cleaner } from './stack.js';

/** Files that are looked at for a syntax error that Node does not locate. */
const MAX_CHECKED_FILES = 30;
/** Time for each, ms. */
const CHECK_TIMEOUT_MS = 2_000;

/** `file:line`, the line, and a marker below it, in front of the error itself. */
const LOCATED = /^(?<file>\S.*):(?<line>\d+)\n(?<source>.*)\n(?<marker>\s*\^+)\s*\n/;
const BAD_JSON = /^(?<file>\S.*\.json): (?<problem>.*)/;
const IMPORTED = /\b(?:import|from)\s*\(?\s*(?:"(?<double>[^"\n]+)"|'(?<single>[^'\n]+)')/g;

/** Whether an import failed because a file can't be parsed, rather than that running code threw a SyntaxError. */
export function isSyntaxErrorOfFile(error: unknown, codeDirectory: string): error is SyntaxError {
  if (!(error instanceof SyntaxError)) return false;
  const stack = String(error.stack);
  if (LOCATED.test(stack) || BAD_JSON.test(error.message)) return true;
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '));
  return !frames.some((frame) => frame.includes(codeDirectory) || frame.includes('<anonymous>'));
}

/**
 * `X: what is wrong (line L, column C)`, then the line and a marker below it; X is the file that has the error.
 * For ES modules Node keeps the place to itself, so that the files are checked one by one; where that is not possible
 * only the entrypoint is named.
 */
export function describeSyntaxError(
  error: SyntaxError,
  startFile: string,
  location: CodeLocation,
  clean: Cleaner,
): string {
  const json = BAD_JSON.exec(error.message)?.groups;
  if (json) return `${clean(json.file!)}: ${json.problem}`;
  const located = LOCATED.exec(String(error.stack)) ?? locate(startFile);
  if (!located?.groups) return `${location.entrypoint}: ${clean(error.message)}`;
  const { file, line, source, marker } = located.groups as Record<string, string>;
  const column = marker!.indexOf('^') + 1;
  const name = clean(file!);
  // Messages name the entrypoint as its author does, not what it was compiled to.
  const shown = name === location.startFile ? location.entrypoint : name;
  return `${shown}: ${clean(error.message)} (line ${line}, column ${column})\n${source}\n${marker}`;
}

/** Checks the start file and what it imports from beside it, with a Node of its own that runs none of it. */
function locate(startFile: string): RegExpExecArray | null {
  const files = new Set([startFile]);
  for (const file of files) {
    if (files.size > MAX_CHECKED_FILES) break;
    const found = check(file);
    if (found) return found;
    for (const imported of importsOf(file)) files.add(imported);
  }
  return null;
}

function check(file: string): RegExpExecArray | null {
  try {
    const { stderr } = spawnSync(process.execPath, ['--check', file], {
      env: {},
      encoding: 'utf8',
      timeout: CHECK_TIMEOUT_MS,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return LOCATED.exec(stderr ?? '');
  } catch {
    return null; // Child processes are not allowed here.
  }
}

function importsOf(file: string): string[] {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return [...source.matchAll(IMPORTED)]
    .map(({ groups }) => groups?.double ?? groups?.single ?? '')
    .filter((specifier) => /^\.{0,2}\//.test(specifier) && !specifier.endsWith('.json'))
    .map((specifier) => fileURLToPath(new URL(specifier, pathToFileURL(file))));
}
