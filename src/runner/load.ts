import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FunctionContext } from './context.js';
import { formatThrown } from './format.js';
import { ATTEMPT_QUERY, type Cleaner } from './stack.js';
import { describeSyntaxError, isSyntaxErrorOfFile } from './syntax-error.js';

export type UserFunction = (context: FunctionContext) => unknown;

/** Status of an execution whose function could not be loaded. */
export const LOAD_FAULT_STATUS = 503;

/** The function can't be loaded; the message is for its author. */
export class LoadFault extends Error {
  override name = 'LoadFault';
}

/** Where a function's code is. */
export interface CodeLocation {
  /** Absolute path of the deployment's root. */
  codeDirectory: string;
  /** What messages name. */
  entrypoint: string;
  /** What is imported, relative to `codeDirectory`. */
  startFile: string;
}

/** Loads the function's module, once. */
export class FunctionLoader {
  readonly #location: CodeLocation;
  readonly #clean: Cleaner;
  #attempts = 0;
  #loaded: UserFunction | null = null;
  /** A fault that another attempt can't mend, as the files of a deployment never change. */
  #lasting: LoadFault | null = null;

  constructor(location: CodeLocation, clean: Cleaner) {
    this.#location = location;
    this.#clean = clean;
  }

  /** The function, if it has been loaded. */
  get loaded(): UserFunction | null {
    return this.#loaded;
  }

  /**
   * Imports the module and finds the function in it. A module that threw is evaluated again the next time.
   * @throws LoadFault with the message of the contract.
   */
  async load(): Promise<UserFunction> {
    if (this.#loaded) return this.#loaded;
    if (this.#lasting) throw this.#lasting;
    const found = findFunction(await this.#import());
    if (!found) {
      this.#lasting = new LoadFault(
        "Function signature invalid. Did you forget to export a 'main' function?",
      );
      throw this.#lasting;
    }
    this.#loaded = found;
    return found;
  }

  async #import(): Promise<Record<string, unknown>> {
    const file = join(this.#location.codeDirectory, this.#location.startFile);
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
      throw new LoadFault(`Failed to load entrypoint, file ${this.#location.entrypoint} does not exist.`);
    }
    let address = pathToFileURL(file).href;
    if (this.#attempts > 0) {
      // Node keeps what it imported, failures included, by its address.
      address += `${ATTEMPT_QUERY}${this.#attempts}`;
      forgetRequired(file);
    }
    this.#attempts += 1;
    try {
      return (await import(address)) as Record<string, unknown>;
    } catch (error) {
      throw this.#faultOf(error, file);
    }
  }

  #faultOf(error: unknown, file: string): LoadFault {
    if (isSyntaxErrorOfFile(error, this.#clean)) {
      const text = describeSyntaxError(error, file, this.#location, this.#clean);
      this.#lasting = new LoadFault(`Syntax error in ${text}`);
      return this.#lasting;
    }
    return new LoadFault(`Failed to load module: ${formatThrown(error, this.#clean)}`);
  }
}

/** Forgets what CommonJS modules beside the start file have exported, in particular the start file itself. */
function forgetRequired(file: string): void {
  const { cache } = createRequire(file);
  for (const name of Object.keys(cache)) delete cache[name];
}

/**
 * `export default fn` and `module.exports = fn` are the namespace's `default`; `exports.default = fn` lies one level
 * deeper. A named `main` alone does not count.
 */
function findFunction(namespace: Record<string, unknown>): UserFunction | null {
  const outer = namespace.default;
  if (typeof outer === 'function') return outer as UserFunction;
  const inner = typeof outer === 'object' && outer !== null ? (outer as { default?: unknown }).default : null;
  return typeof inner === 'function' ? (inner as UserFunction) : null;
}
