import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { faultOfExecuteRoles } from '../execute-roles.js';
import { isOffered, ownRuntime } from '../runtimes.js';
import { DEFAULT_SPECIFICATION, specificationSlugs } from '../specifications.js';
import { checkFunctionId, type Definition, type Discovery, FunctionFault } from './definition.js';
import { booleanOf, integerOf, stringOf, stringsOf } from './fields.js';

/** The CLI's file, and what it was called before. */
const NAMES = ['appwrite.config.json', 'appwrite.json'];
const MAX_TIMEOUT_SECONDS = 900;

/** The configuration file in `directory`, or null. */
export async function readConfigFile(directory: string): Promise<{ file: string; text: string } | null> {
  for (const name of NAMES) {
    const file = join(directory, name);
    try {
      return { file, text: await readFile(file, 'utf8') };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return null;
}

/**
 * The functions of a configuration file in the format of the Appwrite CLI; keys that are not known are passed over.
 * Contract: clients, appwrite-cli.
 * @throws FunctionFault when the file as a whole can't be understood.
 */
export function discoverConfigured(file: string, text: string): Discovery {
  const discovery: Discovery = { ids: new Set(), definitions: [], faults: [] };
  for (const [index, entry] of functionsOf(file, text).entries()) {
    let id = `number ${index + 1}`;
    try {
      if (!isObject(entry)) throw new FunctionFault('it must be an object');
      const given = stringOf(entry, '$id', { required: true });
      id = given;
      checkFunctionId(id);
      if (discovery.ids.has(id)) throw new FunctionFault('another function of the file has the same $id');
      discovery.ids.add(id);
      discovery.definitions.push(readEntry(id, entry, dirname(file)));
    } catch (error) {
      if (!(error instanceof FunctionFault)) throw error;
      discovery.faults.push({ id, message: error.message });
    }
  }
  return discovery;
}

function functionsOf(file: string, text: string): unknown[] {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    throw new FunctionFault(`${file} is not JSON: ${(error as Error).message}`);
  }
  if (!isObject(config)) throw new FunctionFault(`${file} must hold a JSON object`);
  const functions = config.functions ?? [];
  if (!Array.isArray(functions)) throw new FunctionFault(`"functions" in ${file} must be an array`);
  return functions;
}

function readEntry(id: string, entry: Record<string, unknown>, base: string): Definition {
  const path = stringOf(entry, 'path', { required: true });
  const specification = specificationIn(entry, 'specification', DEFAULT_SPECIFICATION);
  const settings = {
    name: stringOf(entry, 'name', { max: 128 }) || id,
    runtime: stringOf(entry, 'runtime', { required: true }),
    execute: stringsOf(entry, 'execute', 100),
    events: stringsOf(entry, 'events', 100),
    schedule: stringOf(entry, 'schedule', { max: 128 }),
    timeout: integerOf(entry, 'timeout', { min: 1, max: MAX_TIMEOUT_SECONDS, missing: 15 }),
    enabled: booleanOf(entry, 'enabled'),
    logging: booleanOf(entry, 'logging'),
    commands: stringOf(entry, 'commands', { max: 8_192 }),
    scopes: stringsOf(entry, 'scopes', 200),
    buildSpecification: specificationIn(entry, 'buildSpecification', specification),
    runtimeSpecification: specificationIn(entry, 'runtimeSpecification', specification),
  };
  const fault = faultOfExecuteRoles(settings.execute);
  if (fault) throw new FunctionFault(`its "execute" can't be taken: ${fault}`);
  if (!isOffered(settings.runtime)) {
    throw new FunctionFault(
      `its runtime "${settings.runtime}" is not offered here; this server offers ${ownRuntime.$id}`,
    );
  }
  if (settings.commands.trim() !== '') {
    throw new FunctionFault(
      'build commands are not supported yet: install its dependencies in the folder and remove `commands`',
    );
  }
  const entrypoint = stringOf(entry, 'entrypoint', { max: 1_028 }) || undefined;
  return { id, directory: resolve(base, path), entrypoint, settings, warnings: warningsOf(entry, settings) };
}

function warningsOf(entry: Record<string, unknown>, settings: Definition['settings']): string[] {
  const warnings: string[] = [];
  if (settings.schedule !== '') warnings.push('its schedule is not run yet');
  if (settings.events.length > 0) warnings.push('its events do not run it yet');
  if (entry.ignore !== undefined && entry.ignore !== '') {
    warnings.push(
      'its `ignore` is not applied yet: all files of its folder are loaded, .git and .env excepted',
    );
  }
  return warnings;
}

function specificationIn(entry: Record<string, unknown>, key: string, missing: string): string {
  const slug = stringOf(entry, key, {}) || missing;
  if (specificationSlugs.includes(slug)) return slug;
  throw new FunctionFault(`its "${key}" must be one of: ${specificationSlugs.join(', ')}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
