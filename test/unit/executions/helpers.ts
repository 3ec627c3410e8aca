import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, openDatabase } from '../../../src/db/client.js';
import { Writer } from '../../../src/db/writer.js';
import type { Outcome } from '../../../src/engine/types.js';
import { Lifecycle } from '../../../src/executions/lifecycle.js';
import { ExecutionStore, type NewExecution } from '../../../src/executions/store.js';
import { newId } from '../../../src/ids.js';

export interface Records {
  database: Database;
  writer: Writer;
  store: ExecutionStore;
  lifecycle: Lifecycle;
  close(): void;
}

/** A real database in a temporary folder, with a function `f` in it. */
export function openRecords(): Records {
  const folder = mkdtempSync(join(tmpdir(), 'records-'));
  const database = openDatabase(join(folder, 'test.sqlite'));
  database.sqlite
    .prepare(
      `INSERT INTO functions (id, created_at, updated_at, name, runtime, execute, events, scopes)
       VALUES ('f', 0, 0, 'f', 'node-20.0', '[]', '[]', '[]')`,
    )
    .run();
  const writer = new Writer(database.sqlite);
  const store = new ExecutionStore(database, writer);
  return {
    database,
    writer,
    store,
    lifecycle: new Lifecycle(store),
    close: () => {
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function newExecution(changes: Partial<NewExecution> = {}): NewExecution {
  return {
    id: newId(),
    functionId: 'f',
    deploymentId: 'd',
    trigger: 'http',
    status: 'waiting',
    requestMethod: 'GET',
    requestPath: '/',
    requestHeaders: [],
    createdAt: Date.now(),
    updatedAt: Date.now(),
    scheduledAt: null,
    userId: null,
    ...changes,
  };
}

export function response(changes: Partial<Outcome> = {}): Outcome {
  return {
    status: 200,
    headers: [],
    body: Buffer.alloc(0),
    logs: '',
    errors: '',
    duration: 12.3456,
    cause: 'response',
    ...changes,
  };
}
