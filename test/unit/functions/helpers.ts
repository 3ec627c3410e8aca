import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';
import { openDatabase } from '../../../src/db/client.js';
import { createListing } from '../../../src/db/listing.js';
import { functionsTable } from '../../../src/db/listing-tables.js';
import { Writer } from '../../../src/db/writer.js';
import { FolderArtifacts } from '../../../src/deployments/artifacts.js';
import { cleanUpDeployments } from '../../../src/deployments/clean-up.js';
import { DeploymentStore } from '../../../src/deployments/store.js';
import { loadFunctionsFolder } from '../../../src/functions/folder.js';
import { FunctionStore } from '../../../src/functions/store.js';

export interface LogLine {
  level: number;
  msg: string;
  functionId?: string;
}

/** A functions folder, a database and artifacts, all real and temporary. */
export function openHouse() {
  const root = mkdtempSync(join(tmpdir(), 'functions-'));
  const directory = join(root, 'functions');
  const dataDirectory = join(root, 'data');
  const artifactsDirectory = join(dataDirectory, 'artifacts');
  mkdirSync(directory);
  mkdirSync(artifactsDirectory, { recursive: true });
  const database = openDatabase(join(dataDirectory, 'test.sqlite'));
  const writer = new Writer(database.sqlite);
  const listing = createListing({ sqlite: database.sqlite, table: functionsTable });
  const functions = new FunctionStore({ database, writer, listing });
  const deployments = new DeploymentStore(database, writer);
  const artifacts = new FolderArtifacts(artifactsDirectory);
  const log: LogLine[] = [];
  const logger = pino({ level: 'trace' }, { write: (line: string) => log.push(JSON.parse(line)) });

  return {
    root,
    directory,
    dataDirectory,
    artifactsDirectory,
    database,
    writer,
    functions,
    deployments,
    artifacts,
    log,
    load: (folder = directory) =>
      loadFunctionsFolder({
        directory: folder,
        dataDirectory,
        functions,
        deployments,
        artifacts,
        log: logger,
      }),
    cleanUp: () => cleanUpDeployments({ functions, deployments, artifacts }),
    /** Writes a file below the functions folder. */
    write(path: string, text: string, mode = 0o644) {
      const file = join(directory, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      chmodSync(file, mode);
    },
    link(path: string, target: string) {
      const file = join(directory, path);
      mkdirSync(dirname(file), { recursive: true });
      symlinkSync(target, file);
    },
    remove: (path: string) => rmSync(join(directory, path), { recursive: true }),
    /** The active deployment of a function and the folder of its code. */
    async active(id: string) {
      const record = await functions.get(id);
      const deployment = record && (await deployments.get(record.deploymentId));
      if (!deployment) throw new Error(`${id} has no active deployment`);
      return { deployment, code: artifacts.path(deployment.artifact) };
    },
    /** What the active deployment's module exports. */
    async run(id: string): Promise<(context: unknown) => unknown> {
      const { deployment, code } = await this.active(id);
      return (await import(pathToFileURL(join(code, deployment.startFile)).href)).default;
    },
    async close() {
      await listing.close();
      database.close();
      // They are read-only, which only root may remove as it is.
      await artifacts.sweep([]);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

export type House = ReturnType<typeof openHouse>;
