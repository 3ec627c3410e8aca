/** A function's settings. Times are ms since 1970; ids are `''` where there is none. */
export interface FunctionRecord {
  id: string;
  createdAt: number;
  updatedAt: number;
  name: string;
  runtime: string;
  execute: string[];
  events: string[];
  schedule: string;
  /** Seconds. */
  timeout: number;
  enabled: boolean;
  logging: boolean;
  live: boolean;
  entrypoint: string;
  commands: string;
  scopes: string[];
  buildSpecification: string;
  runtimeSpecification: string;
  deploymentId: string;
  deploymentCreatedAt: number | null;
  latestDeploymentId: string;
  latestDeploymentCreatedAt: number | null;
  latestDeploymentStatus: string;
  origin: 'folder' | 'api';
}
