import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import type { BuildFailure, BuildOptions, Message } from 'esbuild';
import { FunctionFault } from './definition.js';

/** What a module is compiled to, by the extension of its source. */
const COMPILED: Readonly<Record<string, '.mjs' | '.cjs'>> = { '.ts': '.mjs', '.mts': '.mjs', '.cts': '.cjs' };

/** What a CommonJS module would find around it, for code that was written for it or bundles some. */
const COMMONJS_IN_ESM: BuildOptions = {
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  // Replaced only where the code has no such name of its own.
  define: { __filename: 'import.meta.filename', __dirname: 'import.meta.dirname' },
};

export const isTypeScript = (file: string): boolean => extname(file) in COMPILED;

/** Compiles TypeScript in a process of its own, which `close` ends. */
export class Compiler {
  #esbuild: Promise<typeof import('esbuild')> | undefined;

  /**
   * Compiles an entrypoint, with the files it imports from its folder, to one file beside it. Packages stay imports.
   * Answers the path of that file relative to `root`.
   * @throws FunctionFault with file and line at what can't be compiled.
   */
  async compile(root: string, entrypoint: string): Promise<string> {
    const extension = COMPILED[extname(entrypoint)]!;
    const compiled = entrypoint + extension;
    if (existsSync(join(root, compiled))) {
      throw new FunctionFault(`${compiled} is where ${entrypoint} is compiled to: give it another name`);
    }
    this.#esbuild ??= import('esbuild');
    const { build } = await this.#esbuild;
    try {
      await build({
        absWorkingDir: root,
        entryPoints: [`./${entrypoint}`],
        outfile: compiled,
        bundle: true,
        packages: 'external',
        platform: 'node',
        target: 'node20',
        sourcemap: 'inline',
        logLevel: 'silent',
        ...(extension === '.mjs' ? { format: 'esm', ...COMMONJS_IN_ESM } : { format: 'cjs' }),
        ...compilerSettings(root, entrypoint),
      });
    } catch (error) {
      throw asFault(error);
    }
    return compiled;
  }

  async close(): Promise<void> {
    const esbuild = await this.#esbuild;
    await esbuild?.stop();
  }
}

/** The nearest tsconfig.json within the folder; one further up is not the function's. */
function compilerSettings(root: string, entrypoint: string): BuildOptions {
  for (let folder = dirname(entrypoint); ; folder = dirname(folder)) {
    const tsconfig = join(root, folder, 'tsconfig.json');
    if (existsSync(tsconfig)) return { tsconfig };
    if (folder === '.') return { tsconfigRaw: '{}' };
  }
}

function asFault(error: unknown): unknown {
  const { errors } = error as Partial<BuildFailure>;
  if (!Array.isArray(errors)) return error;
  return new FunctionFault(`it can't be compiled: ${errors.map(describe).join('; ')}`);
}

function describe({ text, location }: Message): string {
  return location ? `${location.file}:${location.line}:${location.column + 1}: ${text}` : text;
}
