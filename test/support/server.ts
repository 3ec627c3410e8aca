import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { type FunctionSettings, type FunctionSources, writeFunctions } from './functions-folder.js';
import { descendants, type ProcessInfo, waitUntilGone } from './processes.js';
import {
  type Answer,
  type ExecutionListModel,
  type ExecutionModel,
  type RequestOptions,
  request,
} from './request.js';
import { waitFor } from './wait-for.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 60_000;

/** One line of the server's log. */
export type LogLine = Record<string, unknown> & { level?: number; msg?: string };

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ServerOptions {
  /** Functions by id, or the path of a functions folder. Default: none. */
  functions?: FunctionSources | string;
  /** With `functions` by id: writes an appwrite.config.json with these settings. */
  functionSettings?: FunctionSettings;
  /** `null` sets none, so that the server makes one. Default: `key-of-the-tests`. */
  apiKey?: string | null;
  /** A command line that starts the server's command line behind it, keeping the process. */
  prefix?: string[];
  /** Further settings; what is undefined is left unset. */
  env?: Record<string, string | undefined>;
}

/** A temporary folder that other users may pass through, as a runner of another uid has to. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'executions-server-test-'));
  chmodSync(folder, 0o711);
  return folder;
}

/** The built server as a process of its own, on a temporary folder. `close` it, or the end of the file does. */
export class TestServer {
  readonly folder = temporaryFolder();
  readonly dataDirectory = join(this.folder, 'data');
  readonly functionsDirectory: string;
  readonly apiKey: string | null;
  /** Lines of the log that were JSON, all starts together. */
  readonly log: LogLine[] = [];
  /** Everything it wrote to stdout and stderr, all starts together. */
  output = '';
  /** Such as `http://127.0.0.1:34567`. */
  url = '';
  readonly #prefix: string[];
  #env: Record<string, string | undefined>;
  #child: ChildProcess | undefined;
  #exit: Promise<Exit> = Promise.resolve({ code: null, signal: null });

  constructor({
    functions = {},
    functionSettings,
    apiKey = 'key-of-the-tests',
    prefix = [],
    env = {},
  }: ServerOptions = {}) {
    this.#prefix = prefix;
    this.functionsDirectory = typeof functions === 'string' ? functions : join(this.folder, 'functions');
    if (typeof functions !== 'string') writeFunctions(this.functionsDirectory, functions, functionSettings);
    this.apiKey = apiKey;
    this.#env = env;
  }

  /** Process id; throws when it was never started. */
  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('The server was not started');
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** How it ends, once it does. */
  get exited(): Promise<Exit> {
    return this.#exit;
  }

  /** Starts the process without waiting for anything; `env` adds to the settings for good. */
  launch(env: Record<string, string | undefined> = {}): void {
    if (this.running) throw new Error('The server runs already');
    if (!existsSync(MAIN)) throw new Error('dist/main.js is missing: run `npm run build` first');
    this.#env = { ...this.#env, ...env };
    const [command, ...args] = [...this.#prefix, process.execPath, MAIN];
    const child = spawn(command!, args, {
      cwd: this.folder, // So that no .env file of the checkout is read.
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        PORT: '0',
        DATA_DIR: this.dataDirectory,
        FUNCTIONS_DIR: this.functionsDirectory,
        ...(this.apiKey === null ? {} : { API_KEY: this.apiKey }),
        ...this.#env,
      },
    });
    this.#child = child;
    this.url = '';
    this.#exit = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
    this.#collect(child);
  }

  /** Starts the process and waits until it listens. Throws with its output when it ends instead. */
  async start(env: Record<string, string | undefined> = {}): Promise<this> {
    this.launch(env);
    await waitFor('the server listens', () => this.url !== '' || !this.running, START_DEADLINE_MS);
    if (this.url !== '') return this;
    const { code, signal } = await this.#exit;
    throw new Error(`The server ended at start with ${code ?? signal}: ${this.output}`);
  }

  /** Ends the process by a signal; throws if a process that it started outlives it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    const children = this.descendants();
    this.#child?.kill(signal);
    await waitFor(`the server ends on ${signal}`, () => !this.running, STOP_DEADLINE_MS);
    await waitUntilGone(children, this.folder);
    return this.#exit;
  }

  /** Ends it as a power cut would; throws if a process that it started outlives it. */
  kill(): Promise<Exit> {
    return this.stop('SIGKILL');
  }

  /** Sends a signal and waits for nothing. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Ends the process if it runs and removes its folder. Throws if a process that it started outlives it. */
  async close(): Promise<void> {
    open.delete(this);
    try {
      if (this.running) await this.stop('SIGKILL');
      await waitUntilGone([], this.folder);
    } finally {
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  /** The processes that it started and that run now, runners among them. */
  descendants(): ProcessInfo[] {
    return this.running ? descendants(this.pid) : [];
  }

  /** One request, with the server's API key unless `key` says otherwise (`null`: as a guest). */
  request<T = unknown>(method: string, path: string, options: RequestOptions = {}): Promise<Answer<T>> {
    return request<T>(this.url, method, path, { key: this.apiKey, ...options });
  }

  /** Creates an execution; `parameters` as the wire has them (`body`, `async`, `path`, `method`, `headers`). */
  execute(
    functionId: string,
    parameters: Record<string, unknown> = {},
    options: RequestOptions = {},
  ): Promise<Answer<ExecutionModel>> {
    const path = `/v1/functions/${functionId}/executions`;
    return this.request<ExecutionModel>('POST', path, { body: parameters, ...options });
  }

  async getExecution(functionId: string, executionId: string): Promise<ExecutionModel> {
    const path = `/v1/functions/${functionId}/executions/${executionId}`;
    const { status, body } = await this.request<ExecutionModel>('GET', path);
    if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  /** Lists the executions of a function; `queries` in their JSON form. */
  async listExecutions(functionId: string, queries: object[] = []): Promise<ExecutionListModel> {
    const parameters = queries.map((query) => `queries[]=${encodeURIComponent(JSON.stringify(query))}`);
    const path = `/v1/functions/${functionId}/executions?${parameters.join('&')}`;
    const { status, body } = await this.request<ExecutionListModel>('GET', path);
    if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  /** Polls until the execution is completed or failed. */
  waitForExecution(functionId: string, executionId: string, deadlineMs?: number): Promise<ExecutionModel> {
    return waitFor(
      `execution ${executionId} ends`,
      async () => {
        const execution = await this.getExecution(functionId, executionId);
        return ['completed', 'failed'].includes(execution.status) && execution;
      },
      deadlineMs,
    );
  }

  /** Waits for a line of the log, also one that is there already. */
  waitForLog(what: string, matches: (line: LogLine) => boolean, deadlineMs?: number): Promise<LogLine> {
    return waitFor(what, () => this.log.find(matches), deadlineMs);
  }

  #collect(child: ChildProcess): void {
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#readLine(line);
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
    });
  }

  #readLine(text: string): void {
    if (!text.startsWith('{')) return;
    const line = JSON.parse(text) as LogLine;
    this.log.push(line);
    if (line.msg === 'listening' && typeof line.address === 'string') this.url = line.address;
  }
}

const open = new Set<TestServer>();

/** Starts a server and waits until it listens. What is not closed by a test is closed after its file. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  return prepareServer(options).start();
}

/** A server that is not started yet: for tests of the start itself. */
export function prepareServer(options: ServerOptions = {}): TestServer {
  const server = new TestServer(options);
  open.add(server);
  return server;
}

afterAll(async () => {
  const results = await Promise.allSettled([...open].map((server) => server.close()));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
});
