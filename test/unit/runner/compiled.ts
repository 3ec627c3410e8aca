import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';
import type * as load from '../../../src/runner/load.js';
import type * as stack from '../../../src/runner/stack.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface CompiledRunner {
  main: string;
  /**
   * Loads a function as a thread does. It is Node itself that imports the function's files here: what vitest imports
   * goes through a compiler of its own, with errors of its own.
   */
  load(location: load.CodeLocation): Promise<load.UserFunction>;
  remove(): void;
}

/** Compiles the runner as it is laid out in the sandbox, within the repository so that it finds Piscina. */
export async function compileRunner(): Promise<CompiledRunner> {
  const parent = join(root, 'node_modules/.cache');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'runner-test-'));
  const sources = readdirSync(join(root, 'src/runner')).map((name) => join(root, 'src/runner', name));
  await build({
    entryPoints: [...sources, join(root, 'src/engine/channel.ts')],
    outbase: join(root, 'src'),
    outdir: folder,
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const { FunctionLoader }: typeof load = await import(join(folder, 'runner/load.js'));
  const { createCleaner }: typeof stack = await import(join(folder, 'runner/stack.js'));
  return {
    main: join(folder, 'runner/main.js'),
    load: (location) =>
      new Promise((resolve, reject) => {
        const loader = new FunctionLoader(location, createCleaner(location.codeDirectory));
        // Callbacks keep the tests' frames out of the stack: in a thread, only Node's are below the runner's.
        loader.load().then(
          (found) => setImmediate(resolve, found),
          (error) => setImmediate(reject, error),
        );
      }),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** Writes the files of a deployment to a folder of its own, which goes with the test. */
export function writeDeployment(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'deployment-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}
