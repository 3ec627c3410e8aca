import type { ChildProcess } from 'node:child_process';

/** Request or response headers in order; a name may come several times. Names are in lower case. */
export type HeaderList = [name: string, value: string][];

/** What a runner serves: one deployment of one function, as it stands when the runner starts. */
export interface Target {
  functionId: string;
  deploymentId: string;
  /** Absolute path on this machine of the folder with the deployment's files. */
  codeDirectory: string;
  entrypoint: string;
  startFile: string;
  env: Record<string, string>;
  memoryMegabytes: number;
}

/** One execution on its way through the engine. */
export interface Job {
  seq: number;
  id: string;
  functionId: string;
  sync: boolean;
  method: string;
  /** Path with query string. */
  path: string;
  headers: Record<string, string>;
  body: Buffer;
  /** Wall-clock limit once it has started, ms. */
  timeoutMs: number;
  /** Whether logs and errors are kept. */
  logging: boolean;
  /** `performance.now()` beyond which a sync execution is ended; Infinity for async ones. */
  deadline: number;
}

/** How an execution ended. */
export interface Outcome {
  /** HTTP status; 500 when the function gave none, 0 when it never ran. */
  status: number;
  headers: HeaderList;
  body: Buffer;
  logs: string;
  errors: string;
  /** Milliseconds. */
  duration: number;
  /** `limit` means the 30 seconds of a sync execution were over before it ended. */
  cause: 'response' | 'failure' | 'limit';
}

export type SandboxLevel = 'bubblewrap' | 'user' | 'process';
export type NetworkPolicy = 'none' | 'egress';

/** What the sandbox needs to know to start one runner process. */
export interface RunnerSpec {
  /** Absolute path on this machine of the folder the runner sees, read-only, at `codeDirectory`. */
  codeDirectory: string;
  network: NetworkPolicy;
  /** Sockets for worker threads: descriptors 4 … 3 + threadChannels, made as pipes beside the control socket at 3. */
  threadChannels: number;
}

/** A runner process that was started. `child.stdio[3]` and up are the channel's sockets. */
export interface StartedRunner {
  child: ChildProcess;
  /** Where the runner finds the deployment's files. */
  codeDirectory: string;
  /** Gives back what the sandbox holds for it (its uid, temporary folders). Called once, after the process has ended. */
  release(): void;
}

/** One sandbox level, found to work on this machine. */
export interface Sandbox {
  readonly level: SandboxLevel;
  /** Starts the runner's process. Throws when it can't be spawned. */
  start(spec: RunnerSpec): StartedRunner;
}
