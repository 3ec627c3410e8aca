import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { type Database, openDatabase } from '../../../src/db/client.js';

const file = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** Compiles the listing's worker to where the build would put it, since threads run compiled code only. */
export function buildListingWorker(): void {
  const source = readFileSync(file('src/db/listing-worker.ts'), 'utf8');
  const { code } = transformSync(source, { loader: 'ts', format: 'esm', target: 'es2023' });
  mkdirSync(file('dist/db'), { recursive: true });
  const temporary = file(`dist/db/listing-worker.${process.pid}.tmp`);
  writeFileSync(temporary, code);
  renameSync(temporary, file('dist/db/listing-worker.js'));
}

/** A database in a folder of its own, with the real schema. */
export function temporaryDatabase(): { database: Database; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'listing-'));
  const database = openDatabase(join(folder, 'test.db'));
  return {
    database,
    remove: () => {
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export interface Row {
  seq: number;
  id: string;
  functionId: string;
  deploymentId: string;
  trigger: string;
  status: string;
  responseStatusCode: number;
  duration: number;
  createdAt: number;
  updatedAt: number;
  scheduledAt: number | null;
  userId: string | null;
  requestMethod: string;
  requestPath: string;
}

export function insertRows(database: Database, rows: readonly Row[]): void {
  const insert = database.sqlite.prepare(
    `INSERT INTO executions (seq, id, function_id, deployment_id, trigger, status, response_status_code, duration,
       created_at, updated_at, scheduled_at, user_id, request_method, request_path, request_headers)
     VALUES (@seq, @id, @functionId, @deploymentId, @trigger, @status, @responseStatusCode, @duration,
       @createdAt, @updatedAt, @scheduledAt, @userId, @requestMethod, @requestPath, '[]')`,
  );
  database.sqlite.transaction(() => {
    for (const row of rows) insert.run(row);
  })();
}

/** A row with unremarkable values. */
export function makeRow(seq: number, changes: Partial<Row> = {}): Row {
  return {
    seq,
    id: `e${seq}`,
    functionId: 'f',
    deploymentId: 'd1',
    trigger: 'http',
    status: 'completed',
    responseStatusCode: 200,
    duration: 0.5,
    createdAt: 1000 + seq,
    updatedAt: 2000 + seq,
    scheduledAt: null,
    userId: null,
    requestMethod: 'GET',
    requestPath: '/',
    ...changes,
  };
}
