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
const LOCATED = /^(?<file>\S.*):(?<line>\d+)\n(?<source>.*)\n(?<marker>\s*\^+)\s*\nSyntaxError\b/;
const BAD_JSON = /^(?<file>\S.*\.json): (?<problem>.*)/;
const IMPORTED = /\b(?:import|from)\s*\(?\s*(?:"(?<double>[^"\n]+)"|'(?<single>[^'\n]+)')/g;

interface Place {
  file: string;
  line: string;
  source: string;
  marker: string;
}

/** Whether an import failed because a file can't be parsed, rather than that running code threw a SyntaxError. */
export function isSyntaxErrorOfFile(error: unknown, clean: Cleaner): error is SyntaxError {
  if (!(error instanceof SyntaxError)) return false;
  const stack = String(error.stack);
  if (LOCATED.test(stack) || BAD_JSON.test(error.message)) return true;
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '));
  // The cleaner knows the function's files by every name that Node has for them.
  return !frames.some((frame) => clean(frame) !== frame || frame.includes('<anonymous>'));
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
  const place = readPlace(String(error.stack)) ?? locate(startFile, error.message);
  if (!place) return `${location.entrypoint}: ${clean(error.message)}`;
  const { file, line, source, marker } = place;
  const column = marker.indexOf('^') + 1;
  const name = clean(file);
  // Messages name the entrypoint as its author does, not what it was compiled to.
  const shown = name === location.startFile ? location.entrypoint : name;
  return `${shown}: ${clean(error.message)} (line ${line}, column ${column})\n${source}\n${marker}`;
}

/** Checks the start file and what it imports from beside it, with a Node of its own that runs none of it. */
function locate(startFile: string, message: string): Place | null {
  const files = new Set([startFile]);
  for (const file of files) {
    if (files.size > MAX_CHECKED_FILES) break;
    const found = readPlace(check([file])) ?? checkAsModule(file, message);
    if (found) return found;
    for (const imported of importsOf(file)) files.add(imported);
  }
  return null;
}

/**
 * Node passes over `.js` files that only their syntax makes ES modules, so that they are checked once more as such.
 * What is CommonJS has other faults then, that are none.
 */
function checkAsModule(file: string, message: string): Place | null {
  if (!file.endsWith('.js')) return null;
  const report = check(['--input-type=module'], readSource(file));
  const found = report.includes(`\nSyntaxError: ${message}\n`) ? readPlace(report) : null;
  return found && { ...found, file };
}

/** What Node prints about a file, or about the source on its standard input. */
function check(file: string[], source = ''): string {
  try {
    const { stderr } = spawnSync(process.execPath, ['--check', ...file], {
      env: {},
      encoding: 'utf8',
      timeout: CHECK_TIMEOUT_MS,
      input: source,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    return stderr ?? '';
  } catch {
    return ''; // Child processes are not allowed here.
  }
}

function readPlace(text: string): Place | null {
  return (LOCATED.exec(text)?.groups as Place | undefined) ?? null;
}

function readSource(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function importsOf(file: string): string[] {
  return [...readSource(file).matchAll(IMPORTED)]
    .map(({ groups }) => groups?.double ?? groups?.single ?? '')
    .filter((specifier) => /^\.{0,2}\//.test(specifier) && !specifier.endsWith('.json'))
    .flatMap((specifier) => {
      try {
        return [fileURLToPath(new URL(specifier, pathToFileURL(file)))];
      } catch {
        return []; // No file can have that name: it stands in a comment, or in a text.
      }
    });
}
