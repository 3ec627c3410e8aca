import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ownRuntime } from '../runtimes.js';
import { DEFAULT_SPECIFICATION } from '../specifications.js';
import { checkFunctionId, type Definition, type Discovery, FunctionFault } from './definition.js';

/** Folders beside functions that nobody means to be one. */
const NOT_FUNCTIONS = ['node_modules'];
const DEFAULT_TIMEOUT_SECONDS = 15;

/** Every subfolder is a function, unless it is hidden. */
export async function discoverSubfolders(directory: string): Promise<Discovery> {
  const discovery: Discovery = { ids: new Set(), definitions: [], faults: [] };
  for (const name of (await readdir(directory)).sort()) {
    if (name.startsWith('.') || NOT_FUNCTIONS.includes(name)) continue;
    const path = join(directory, name);
    // A link to a folder elsewhere is as good as the folder.
    const isFolder = await stat(path).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
    if (!isFolder) continue;
    discovery.ids.add(name);
    try {
      checkFunctionId(name);
      discovery.definitions.push(defaultDefinition(name, path));
    } catch (error) {
      if (!(error instanceof FunctionFault)) throw error;
      discovery.faults.push({ id: name, message: error.message });
    }
  }
  return discovery;
}

function defaultDefinition(id: string, directory: string): Definition {
  return {
    id,
    directory,
    entrypoint: undefined,
    settings: {
      name: id,
      runtime: ownRuntime.$id,
      execute: ['any'],
      events: [],
      schedule: '',
      timeout: DEFAULT_TIMEOUT_SECONDS,
      enabled: true,
      logging: true,
      commands: '',
      scopes: [],
      buildSpecification: DEFAULT_SPECIFICATION,
      runtimeSpecification: DEFAULT_SPECIFICATION,
    },
    warnings: [],
  };
}
