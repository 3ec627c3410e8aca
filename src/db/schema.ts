/**
 * The tables. Times are integers, milliseconds since 1970 UTC. JSON columns hold text.
 * After a change here: `npm run migrations:generate`, and commit what it writes.
 */
import { blob, index, integer, real, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

export const functions = sqliteTable('functions', {
  id: text('id').primaryKey(),
  createdAt: integer('created_at').notNull(),
  updatedAt: integer('updated_at').notNull(),
  name: text('name').notNull(),
  runtime: text('runtime').notNull(),
  execute: text('execute', { mode: 'json' }).$type<string[]>().notNull(),
  events: text('events', { mode: 'json' }).$type<string[]>().notNull(),
  schedule: text('schedule').notNull().default(''),
  timeout: integer('timeout').notNull().default(15),
  enabled: integer('enabled', { mode: 'boolean' }).notNull().default(true),
  logging: integer('logging', { mode: 'boolean' }).notNull().default(true),
  live: integer('live', { mode: 'boolean' }).notNull().default(true),
  entrypoint: text('entrypoint').notNull().default(''),
  commands: text('commands').notNull().default(''),
  scopes: text('scopes', { mode: 'json' }).$type<string[]>().notNull(),
  buildSpecification: text('build_specification').notNull().default('s-1vcpu-512mb'),
  runtimeSpecification: text('runtime_specification').notNull().default('s-1vcpu-512mb'),
  /** `''` while no deployment is active. */
  deploymentId: text('deployment_id').notNull().default(''),
  deploymentCreatedAt: integer('deployment_created_at'),
  latestDeploymentId: text('latest_deployment_id').notNull().default(''),
  latestDeploymentCreatedAt: integer('latest_deployment_created_at'),
  latestDeploymentStatus: text('latest_deployment_status').notNull().default(''),
  /** Where its settings come from: the functions folder or the API. */
  origin: text('origin', { enum: ['folder', 'api'] })
    .notNull()
    .default('api'),
});

export const deployments = sqliteTable(
  'deployments',
  {
    seq: integer('seq').primaryKey({ autoIncrement: true }),
    id: text('id').notNull(),
    functionId: text('function_id').notNull(),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
    type: text('type').notNull(),
    status: text('status', {
      enum: ['waiting', 'processing', 'building', 'ready', 'canceled', 'failed'],
    }).notNull(),
    entrypoint: text('entrypoint').notNull(),
    /** The file that is imported: the entrypoint itself, or what it was compiled to. */
    startFile: text('start_file').notNull(),
    commands: text('commands').notNull().default(''),
    activate: integer('activate', { mode: 'boolean' }).notNull().default(false),
    sourceSize: integer('source_size').notNull().default(0),
    buildSize: integer('build_size').notNull().default(0),
    buildDuration: integer('build_duration').notNull().default(0),
    buildLogs: text('build_logs').notNull().default(''),
    /** SHA-256 (hex) over the source files and the entrypoint: tells whether code has changed. */
    sourceDigest: text('source_digest').notNull(),
    /** Name of the artifact's folder below `artifacts/`; unguessable. */
    artifact: text('artifact').notNull(),
  },
  (table) => [
    uniqueIndex('deployments_id').on(table.id),
    index('deployments_function').on(table.functionId, table.seq),
  ],
);

/** One row per execution. `seq` is the order of insertion. What can be large is in tables of its own. */
export const executions = sqliteTable(
  'executions',
  {
    seq: integer('seq').primaryKey({ autoIncrement: true }),
    id: text('id').notNull(),
    functionId: text('function_id').notNull(),
    deploymentId: text('deployment_id').notNull(),
    trigger: text('trigger', { enum: ['http', 'schedule', 'event'] }).notNull(),
    status: text('status', {
      enum: ['waiting', 'processing', 'completed', 'failed', 'scheduled'],
    }).notNull(),
    responseStatusCode: integer('response_status_code').notNull().default(0),
    /** Seconds. */
    duration: real('duration').notNull().default(0),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
    scheduledAt: integer('scheduled_at'),
    /** The user who may read it, or null. */
    userId: text('user_id'),
    requestMethod: text('request_method').notNull(),
    requestPath: text('request_path').notNull(),
    /** JSON `[name, value][]`: only the few headers that are kept on record. */
    requestHeaders: text('request_headers').notNull(),
    responseHeaders: text('response_headers').notNull().default('[]'),
  },
  (table) => [
    uniqueIndex('executions_id').on(table.id),
    index('executions_function').on(table.functionId, table.seq),
    index('executions_status').on(table.functionId, table.status, table.seq),
    index('executions_trigger').on(table.functionId, table.trigger, table.seq),
    index('executions_response_status_code').on(table.functionId, table.responseStatusCode, table.seq),
    index('executions_duration').on(table.functionId, table.duration, table.seq),
    index('executions_created_at').on(table.functionId, table.createdAt, table.seq),
  ],
);

/** What an execution that waits needs to run; gone once it has ended. */
export const executionInputs = sqliteTable('execution_inputs', {
  seq: integer('seq').primaryKey(),
  /** JSON object: all the headers the function will see. */
  headers: text('headers').notNull(),
  body: blob('body', { mode: 'buffer' }).notNull(),
});

/** What an execution wrote; no row when it wrote nothing. */
export const executionOutputs = sqliteTable('execution_outputs', {
  seq: integer('seq').primaryKey(),
  logs: text('logs').notNull(),
  errors: text('errors').notNull(),
});

/**
 * What has happened to executions and is not in their tables yet, in order: one row for each group of entries that was
 * committed together, one JSON entry a line (`executions/journal-entries.ts`).
 */
export const executionJournal = sqliteTable('execution_journal', {
  // Counting on for ever would take a page more in every commit. Rows go in the order they came, so this suffices.
  id: integer('id').primaryKey(),
  entries: text('entries').notNull(),
});

export const apiKeys = sqliteTable(
  'api_keys',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    /** SHA-256 (hex) of the secret. */
    hash: text('hash').notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [uniqueIndex('api_keys_hash').on(table.hash)],
);

/** Small facts about the database itself, e.g. how far the search index has come. */
export const meta = sqliteTable('meta', {
  key: text('key').primaryKey(),
  value: text('value').notNull(),
});
