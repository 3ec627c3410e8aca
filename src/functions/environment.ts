import type { DeploymentRecord } from '../deployments/types.js';
import { ownRuntime } from './runtimes.js';
import { specificationOf } from './specifications.js';
import type { FunctionRecord } from './types.js';

/** What functions are told about this server. */
export interface ServerFacts {
  /** Where functions reach its API, e.g. `http://127.0.0.1:3000/v1`. */
  endpoint: string;
  projectId: string;
  version: string;
}

/**
 * The variables that every function finds in its environment beside its own, and that win over these. Contract:
 * executions, what the function is sent in addition.
 */
export function runtimeEnvironment(
  record: FunctionRecord,
  deployment: DeploymentRecord,
  server: ServerFacts,
): Record<string, string> {
  const { cpus, memoryMegabytes } = specificationOf(record.runtimeSpecification);
  return {
    APPWRITE_FUNCTION_API_ENDPOINT: server.endpoint,
    APPWRITE_FUNCTION_ID: record.id,
    APPWRITE_FUNCTION_NAME: record.name,
    APPWRITE_FUNCTION_DEPLOYMENT: deployment.id,
    APPWRITE_FUNCTION_PROJECT_ID: server.projectId,
    APPWRITE_FUNCTION_RUNTIME_NAME: ownRuntime.name,
    APPWRITE_FUNCTION_RUNTIME_VERSION: ownRuntime.version,
    APPWRITE_FUNCTION_CPUS: String(cpus),
    APPWRITE_FUNCTION_MEMORY: String(memoryMegabytes),
    APPWRITE_VERSION: server.version,
    APPWRITE_REGION: 'default',
    APPWRITE_DEPLOYMENT_TYPE: deployment.type,
  };
}
