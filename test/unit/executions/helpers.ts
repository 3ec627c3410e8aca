import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, openDatabase } from '../../../src/db/client.js';
import { Writer } from '../../../src/db/writer.js';
import type { Outcome } from '../../../src/engine/types.js';
import { Journal } from '../../../src/executions/journal.js';
import { Lifecycle } from '../../../src/executions/lifecycle.js';
import { ExecutionStore } from '../../../src/executions/store.js';
import type { Execution } from '../../../src/executions/types.js';
import { newId } from '../../../src/ids.js';

export interface Records {
  database: Database;
  journal: Journal;
  store: ExecutionStore;
  lifecycle: Lifecycle;
  close(): Promise<void>;
}

/** A real database in a temporary folder, with a function `f` in it. */
export async function openRecords(): Promise<Records> {
  const folder = mkdtempSync(join(tmpdir(), 'records-'));
  const database = openDatabase(join(folder, 'test.sqlite'));
  database.sqlite
    .prepare(
      `INSERT INTO functions (id, created_at, updated_at, name, runtime, execute, events, scopes)
       VALUES ('f', 0, 0, 'f', 'node-20.0', '[]', '[]', '[]')`,
    )
    .run();
  const journal = await Journal.open(database, new Writer(database.sqlite), {
    onSkipped: (seq, reason) => {
      throw new Error(`execution ${seq}: ${reason}`);
    },
    onLost: (error) => {
      throw error;
    },
  });
  const store = new ExecutionStore(database, journal);
  return {
    database,
    journal,
    store,
    lifecycle: new Lifecycle(store),
    close: async () => {
      await journal.close();
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function newExecution(changes: Partial<Execution> = {}): Execution {
  return {
    seq: 0,
    id: newId(),
    functionId: 'f',
    deploymentId: 'd',
    trigger: 'http',
    status: 'waiting',
    requestMethod: 'GET',
    requestPath: '/',
    requestHeaders: [],
    responseStatusCode: 0,
    responseHeaders: [],
    duration: 0,
    logs: '',
    errors: '',
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
