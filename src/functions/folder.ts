import { realpath } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { ArtifactStore } from '../deployments/artifacts.js';
import type { DeploymentStore } from '../deployments/store.js';
import type { DeploymentRecord } from '../deployments/types.js';
import { newId } from '../ids.js';
import { discoverConfigured, readConfigFile } from './folder/config-file.js';
import { type Definition, type Discovery, FunctionFault } from './folder/definition.js';
import { findEntrypoint } from './folder/entrypoint.js';
import { copyTree, digestTree, isWithin, type SourceTree, scanTree } from './folder/source-tree.js';
import { discoverSubfolders } from './folder/subfolders.js';
import { Compiler, isTypeScript } from './folder/typescript.js';
import type { FunctionStore } from './store.js';
import type { FunctionRecord } from './types.js';

/** Part of every digest: a new number makes new deployments of all functions, for when loading itself changes. */
const LOADER_VERSION = '1';

export interface FunctionsFolderDependencies {
  /** FUNCTIONS_DIR, absolute. */
  directory: string;
  /** DATA_DIR, absolute: it must never end up in an artifact. */
  dataDirectory: string;
  functions: FunctionStore;
  deployments: DeploymentStore;
  artifacts: ArtifactStore;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** Ids of functions by what became of them. */
export interface LoadSummary {
  /** Those with a new deployment. */
  deployed: string[];
  unchanged: string[];
  /** Those that could not be loaded. */
  bad: string[];
  /** Those whose folder is gone. */
  disabled: string[];
}

/**
 * Loads the functions folder: what is new or changed becomes a deployment, settings follow the folder, functions that
 * are gone from it are disabled. A bad function is reported in the log and skipped; if it was loaded before, it stays
 * as it was.
 */
export async function loadFunctionsFolder(deps: FunctionsFolderDependencies): Promise<LoadSummary> {
  const summary: LoadSummary = { deployed: [], unchanged: [], bad: [], disabled: [] };
  const discovery = await discover(deps);
  if (discovery === null) return summary;
  const report = (id: string, message: string): void => {
    summary.bad.push(id);
    deps.log.error({ functionId: id }, `the function ${id} was not loaded: ${message}`);
  };
  for (const { id, message } of discovery.faults) report(id, message);
  const compiler = new Compiler();
  for (const definition of discovery.definitions) {
    try {
      const isNew = await loadFunction(definition, compiler, deps);
      (isNew ? summary.deployed : summary.unchanged).push(definition.id);
    } catch (error) {
      report(definition.id, messageOf(error));
    }
  }
  await compiler.close();
  await disableMissing(discovery.ids, deps, summary);
  return summary;
}

/** Null: the folder can't be understood, so nothing is to be changed. */
async function discover({ directory, log }: FunctionsFolderDependencies): Promise<Discovery | null> {
  try {
    const config = await readConfigFile(directory);
    return config ? discoverConfigured(config.file, config.text) : await discoverSubfolders(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      log.warn(`the functions folder ${directory} does not exist: make it, or set FUNCTIONS_DIR to another`);
    } else {
      log.error(`the functions folder ${directory} was not loaded: ${messageOf(error)}`);
    }
    return null;
  }
}

/** Answers whether it has a new deployment. */
async function loadFunction(
  definition: Definition,
  compiler: Compiler,
  deps: FunctionsFolderDependencies,
): Promise<boolean> {
  const { id, directory, settings } = definition;
  const record = await deps.functions.get(id);
  if (record && record.origin !== 'folder') {
    throw new FunctionFault('a function of this id was made over the API; give one of them another id');
  }
  await refuseDataFolder(directory, deps.dataDirectory);
  const tree = await scanTree(directory);
  const entrypoint = await findEntrypoint(tree.root, definition.entrypoint);
  const isDeployed = await hasDeployment(record, await digestOf(tree, entrypoint), deps);
  const deployment = isDeployed ? null : await prepareDeployment(id, { tree, entrypoint, compiler }, deps);
  await save(record, { ...settings, id, entrypoint, origin: 'folder' }, deployment, deps);
  for (const warning of definition.warnings) {
    deps.log.warn({ functionId: id }, `the function ${id}: ${warning}`);
  }
  if (deployment) deps.log.info({ functionId: id, deploymentId: deployment.id }, 'function deployed');
  return deployment !== null;
}

/** Secrets of the server would be copied into the artifact, and the artifact into itself at every start. */
async function refuseDataFolder(directory: string, dataDirectory: string): Promise<void> {
  const [code, data] = await Promise.all([
    realpath(directory).catch(() => {
      throw new FunctionFault(`its folder ${directory} does not exist`);
    }),
    realpath(dataDirectory),
  ]);
  if (isWithin(code, data) || isWithin(data, code)) {
    throw new FunctionFault(`its folder ${directory} and the data folder ${dataDirectory} must be apart`);
  }
}

const digestOf = (tree: SourceTree, entrypoint: string): Promise<string> =>
  digestTree(tree, [LOADER_VERSION, entrypoint]);

async function hasDeployment(
  record: FunctionRecord | null,
  digest: string,
  { deployments, artifacts }: FunctionsFolderDependencies,
): Promise<boolean> {
  const active = record?.deploymentId ? await deployments.get(record.deploymentId) : null;
  if (active?.sourceDigest !== digest || active.status !== 'ready') return false;
  // A database that was restored without its artifacts finds them again in the folder.
  return artifacts.has(active.artifact);
}

/** Copies and compiles the code. What is deployed is what was copied, whatever happens to the folder meanwhile. */
async function prepareDeployment(
  functionId: string,
  { tree, entrypoint, compiler }: { tree: SourceTree; entrypoint: string; compiler: Compiler },
  { artifacts }: FunctionsFolderDependencies,
): Promise<Omit<DeploymentRecord, 'seq'>> {
  const begun = Date.now();
  const id = newId();
  const staging = await artifacts.stage();
  try {
    await copyTree(tree, staging.directory);
    const source = await scanTree(staging.directory);
    const sourceDigest = await digestOf(source, entrypoint);
    const startFile = isTypeScript(entrypoint)
      ? await compiler.compile(staging.directory, entrypoint)
      : entrypoint;
    const build = startFile === entrypoint ? source : await scanTree(staging.directory);
    const artifact = await staging.commit(id);
    const now = Date.now();
    return {
      id,
      functionId,
      createdAt: now,
      updatedAt: now,
      type: 'manual',
      status: 'ready',
      entrypoint,
      startFile,
      commands: '',
      activate: true,
      sourceSize: source.size,
      buildSize: build.size,
      buildDuration: Math.max(1, Math.ceil((now - begun) / 1_000)),
      buildLogs: '',
      sourceDigest,
      artifact,
    };
  } catch (error) {
    await staging.discard();
    throw error;
  }
}

/** Everything in one turn of the event loop, so in one commit. */
async function save(
  record: FunctionRecord | null,
  settings: Parameters<FunctionStore['create']>[0],
  deployment: Omit<DeploymentRecord, 'seq'> | null,
  { functions, deployments }: FunctionsFolderDependencies,
): Promise<void> {
  const writes: Promise<unknown>[] = [];
  if (!record) writes.push(functions.create(settings));
  else if (!agrees(record, settings)) writes.push(functions.update(record.id, settings));
  if (deployment) {
    writes.push(deployments.create(deployment), functions.setActiveDeployment(deployment));
  }
  await Promise.all(writes);
}

function agrees(record: FunctionRecord, settings: Partial<FunctionRecord>): boolean {
  return Object.entries(settings).every(([key, value]) =>
    isDeepStrictEqual(record[key as keyof FunctionRecord], value),
  );
}

async function disableMissing(
  present: ReadonlySet<string>,
  { functions, log }: FunctionsFolderDependencies,
  summary: LoadSummary,
): Promise<void> {
  for (const { id, origin, enabled } of await functions.all()) {
    if (origin !== 'folder' || present.has(id) || !enabled) continue;
    await functions.update(id, { enabled: false });
    summary.disabled.push(id);
    log.warn({ functionId: id }, `the function ${id} is gone from the folder and was disabled`);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
