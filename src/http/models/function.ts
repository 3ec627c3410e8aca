import { type Static, Type } from 'typebox';
import { toDate, toOptionalDate } from '../../dates.js';
import type { AttributeTable } from '../../db/query.js';
import type { FunctionRecord } from '../../functions/types.js';

const strings = (description?: string) => Type.Array(Type.String(), description ? { description } : {});
const versionControl = () => Type.String({ description: "Version control is not offered; always ''." });

export const VariableModel = Type.Object(
  {
    $id: Type.String(),
    $createdAt: Type.String(),
    $updatedAt: Type.String(),
    key: Type.String(),
    value: Type.String(),
    secret: Type.Boolean(),
    resourceType: Type.String(),
    resourceId: Type.String(),
  },
  { title: 'Variable' },
);

/** The newest format and the older names together, so that clients of every age find their fields. */
export const FunctionModel = Type.Object(
  {
    $id: Type.String(),
    $createdAt: Type.String({ format: 'date-time' }),
    $updatedAt: Type.String({ format: 'date-time' }),
    execute: strings('Roles that may execute it.'),
    name: Type.String(),
    enabled: Type.Boolean({ description: 'If not, only API keys can execute it.' }),
    live: Type.Boolean({ description: 'Whether the active deployment has the current settings.' }),
    logging: Type.Boolean({ description: 'Whether logs and errors of its executions are kept.' }),
    runtime: Type.String({ description: 'E.g. `node-20.0`.' }),
    deploymentRetention: Type.Integer({
      description: 'Days that inactive deployments are kept; 0: for ever.',
    }),
    deploymentId: Type.String({ description: "The active deployment, or ''." }),
    deploymentCreatedAt: Type.String(),
    deployment: Type.String({ description: 'The same as `deploymentId`.' }),
    latestDeploymentId: Type.String(),
    latestDeploymentCreatedAt: Type.String(),
    latestDeploymentStatus: Type.String(),
    scopes: strings(),
    vars: Type.Array(VariableModel),
    events: strings(),
    schedule: Type.String(),
    timeout: Type.Integer({ description: 'Seconds an execution may take.' }),
    entrypoint: Type.String(),
    commands: Type.String(),
    version: Type.String(),
    installationId: versionControl(),
    providerRepositoryId: versionControl(),
    providerBranch: versionControl(),
    providerRootDirectory: versionControl(),
    providerSilentMode: Type.Boolean(),
    providerBranches: strings(),
    providerPaths: strings(),
    specification: Type.String({ description: 'The same as `buildSpecification`.' }),
    buildSpecification: Type.String(),
    runtimeSpecification: Type.String(),
  },
  { title: 'Function', description: "A function's settings." },
);

export const FunctionListModel = Type.Object(
  {
    total: Type.Integer({ description: 'Number of matches; stops at 5,000.' }),
    functions: Type.Array(FunctionModel),
  },
  { title: 'FunctionList' },
);

export type FunctionBody = Static<typeof FunctionModel>;

/** What the list of functions can be filtered and ordered by. */
export const functionAttributes: AttributeTable = {
  $id: { column: 'id', type: 'string' },
  $createdAt: { column: 'created_at', type: 'date' },
  $updatedAt: { column: 'updated_at', type: 'date' },
  $sequence: { column: 'rowid', type: 'integer' },
  name: { column: 'name', type: 'string' },
  enabled: { column: 'enabled', type: 'boolean' },
  runtime: { column: 'runtime', type: 'string' },
  deploymentId: { column: 'deployment_id', type: 'string' },
  schedule: { column: 'schedule', type: 'string' },
  timeout: { column: 'timeout', type: 'integer' },
  entrypoint: { column: 'entrypoint', type: 'string' },
  commands: { column: 'commands', type: 'string' },
};

export function toFunctionBody(record: FunctionRecord): FunctionBody {
  return {
    $id: record.id,
    $createdAt: toDate(record.createdAt),
    $updatedAt: toDate(record.updatedAt),
    execute: record.execute,
    name: record.name,
    enabled: record.enabled,
    live: record.live,
    logging: record.logging,
    runtime: record.runtime,
    deploymentRetention: 0,
    deploymentId: record.deploymentId,
    deploymentCreatedAt: toOptionalDate(record.deploymentCreatedAt),
    deployment: record.deploymentId,
    latestDeploymentId: record.latestDeploymentId,
    latestDeploymentCreatedAt: toOptionalDate(record.latestDeploymentCreatedAt),
    latestDeploymentStatus: record.latestDeploymentStatus,
    scopes: record.scopes,
    vars: [],
    events: record.events,
    schedule: record.schedule,
    timeout: record.timeout,
    entrypoint: record.entrypoint,
    commands: record.commands,
    version: 'v5',
    installationId: '',
    providerRepositoryId: '',
    providerBranch: '',
    providerRootDirectory: '',
    providerSilentMode: false,
    providerBranches: [],
    providerPaths: [],
    specification: record.buildSpecification,
    buildSpecification: record.buildSpecification,
    runtimeSpecification: record.runtimeSpecification,
  };
}

export const functionExample: FunctionBody = toFunctionBody({
  id: 'hello',
  createdAt: 1756480160000,
  updatedAt: 1756480160000,
  name: 'hello',
  runtime: 'node-20.0',
  execute: ['any'],
  events: [],
  schedule: '',
  timeout: 15,
  enabled: true,
  logging: true,
  live: true,
  entrypoint: 'main.js',
  commands: '',
  scopes: [],
  buildSpecification: 's-1vcpu-512mb',
  runtimeSpecification: 's-1vcpu-512mb',
  deploymentId: '68b1c2a0b1c2d3e4f5a6',
  deploymentCreatedAt: 1756480160000,
  latestDeploymentId: '68b1c2a0b1c2d3e4f5a6',
  latestDeploymentCreatedAt: 1756480160000,
  latestDeploymentStatus: 'ready',
  origin: 'folder',
});
