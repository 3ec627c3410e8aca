import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The server under test runs on the Node that runs the tests. */
const OWN_RUNTIME = `node-${process.versions.node.split('.')[0]}.0`;

/** One function: the source of its entry point `src/main.mjs`, or all its files by path. */
export type FunctionSource = string | Record<string, string>;

/** Functions by id. */
export type FunctionSources = Record<string, FunctionSource>;

/** Settings of functions by id, as `appwrite.config.json` has them: `execute`, `timeout`, `entrypoint`, … */
export type FunctionSettings = Record<string, Record<string, unknown>>;

/**
 * Writes a functions folder. With `settings` it gets an `appwrite.config.json` that names every function of
 * `sources`; without, the server finds them by their folders.
 */
export function writeFunctions(folder: string, sources: FunctionSources, settings?: FunctionSettings): void {
  mkdirSync(folder, { recursive: true });
  for (const [id, source] of Object.entries(sources)) {
    const files = typeof source === 'string' ? { 'src/main.mjs': source } : source;
    for (const [path, text] of Object.entries(files)) {
      const file = join(folder, id, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }
  if (!settings) return;
  const functions = Object.keys(sources).map((id) => ({
    $id: id,
    name: id,
    runtime: OWN_RUNTIME,
    path: id,
    entrypoint: 'src/main.mjs',
    execute: ['any'],
    ...settings[id],
  }));
  writeFileSync(join(folder, 'appwrite.config.json'), JSON.stringify({ functions }, null, 2));
}
