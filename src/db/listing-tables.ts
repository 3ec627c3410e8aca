import type { AttributeTable } from './query.js';

/** What a listing must know of a table. Names of columns and indexes are ours, never a client's. */
export interface ListingTable {
  table: string;
  /** The integer primary key that grows with each insertion, or `rowid`. */
  sequenceColumn: string;
  idColumn: string;
  attributes: AttributeTable;
  /** Where the table keeps the function that a row belongs to. */
  functionColumn?: string;
  /** The attribute of the same; `equal` with one value on it narrows the list like a scope. */
  functionAttribute?: string;
  /** Where the table keeps the user who may read a row. */
  userColumn?: string;
  /** Absent for a table that stays small: all its lists are answered at once, without time budget. */
  indexes?: ListingIndexes;
  /** An FTS5 table whose rowid is the sequence. Without one, search looks into the columns themselves. */
  searchTable?: string;
  /** The text of the error for a cursor that names nothing. */
  cursorMessage: (id: string) => string;
}

export interface ListingIndexes {
  /** (function, sequence) */
  sequence: string;
  /** Unique. */
  id: string;
  /** (function, attribute, sequence), by attribute. The columns of these attributes are NOT NULL. */
  attributes: Readonly<Record<string, string>>;
}

/** What executions of one function can be filtered and ordered by (the contract's `executions.md`, List). */
export const executionAttributes: AttributeTable = {
  $id: { column: 'id', type: 'string' },
  $createdAt: { column: 'created_at', type: 'date' },
  $updatedAt: { column: 'updated_at', type: 'date' },
  trigger: { column: 'trigger', type: 'string' },
  status: { column: 'status', type: 'string' },
  responseStatusCode: { column: 'response_status_code', type: 'integer' },
  duration: { column: 'duration', type: 'number' },
  requestMethod: { column: 'request_method', type: 'string' },
  requestPath: { column: 'request_path', type: 'string' },
  deploymentId: { column: 'deployment_id', type: 'string' },
  scheduledAt: { column: 'scheduled_at', type: 'date' },
};

/** The same for the list over all functions. */
export const allExecutionAttributes: AttributeTable = {
  ...executionAttributes,
  functionId: { column: 'function_id', type: 'string' },
};

export const executionsTable: ListingTable = {
  table: 'executions',
  sequenceColumn: 'seq',
  idColumn: 'id',
  attributes: allExecutionAttributes,
  functionColumn: 'function_id',
  functionAttribute: 'functionId',
  userColumn: 'user_id',
  indexes: {
    sequence: 'executions_function',
    id: 'executions_id',
    attributes: {
      status: 'executions_status',
      trigger: 'executions_trigger',
      responseStatusCode: 'executions_response_status_code',
      duration: 'executions_duration',
      $createdAt: 'executions_created_at',
    },
  },
  searchTable: 'execution_search',
  cursorMessage: (id) => `Execution '${id}' for the 'cursor' value not found.`,
};

/** What functions can be filtered and ordered by (the contract's `management.md`, section 4). */
export const functionAttributes: AttributeTable = {
  $id: { column: 'id', type: 'string' },
  $createdAt: { column: 'created_at', type: 'date' },
  $updatedAt: { column: 'updated_at', type: 'date' },
  name: { column: 'name', type: 'string' },
  enabled: { column: 'enabled', type: 'boolean' },
  runtime: { column: 'runtime', type: 'string' },
  deploymentId: { column: 'deployment_id', type: 'string' },
  schedule: { column: 'schedule', type: 'string' },
  timeout: { column: 'timeout', type: 'integer' },
  entrypoint: { column: 'entrypoint', type: 'string' },
  commands: { column: 'commands', type: 'string' },
};

export const functionsTable: ListingTable = {
  table: 'functions',
  sequenceColumn: 'rowid',
  idColumn: 'id',
  attributes: functionAttributes,
  cursorMessage: (id) => `Function '${id}' for the 'cursor' value not found.`,
};
