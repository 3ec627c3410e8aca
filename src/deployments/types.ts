export type DeploymentStatus = 'waiting' | 'processing' | 'building' | 'ready' | 'canceled' | 'failed';

/** One immutable version of a function's code. Times are ms since 1970, sizes bytes, durations seconds. */
export interface DeploymentRecord {
  seq: number;
  id: string;
  functionId: string;
  createdAt: number;
  updatedAt: number;
  type: string;
  status: DeploymentStatus;
  entrypoint: string;
  startFile: string;
  commands: string;
  activate: boolean;
  sourceSize: number;
  buildSize: number;
  buildDuration: number;
  buildLogs: string;
  sourceDigest: string;
  artifact: string;
}
