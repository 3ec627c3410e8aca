import { fileURLToPath } from 'node:url';

/**
 * The file of a thread's code. Threads run compiled code only: where this program runs as it was written (in unit
 * tests), it is that of the build.
 *
 * @param from `import.meta.url` of the caller
 * @param name of the compiled file beside the caller, e.g. `./worker.js`
 */
export function compiledFile(from: string, name: string): string {
  // The last `src`: the checkout itself may lie below another one, such as /usr/src.
  return fileURLToPath(new URL(name, from.endsWith('.ts') ? from.replace(/^(.*)\/src\//, '$1/dist/') : from));
}
