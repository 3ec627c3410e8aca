import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import {
  type ControlMessage,
  type ControlReply,
  encodeFrame,
  FrameReader,
  type ThreadMessage,
  type ThreadReply,
} from '../../../src/engine/channel.js';
import { waitFor } from '../../support/wait-for.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Compiles the runner as it is laid out in the sandbox, within the repository so that it finds Piscina. */
export async function compileRunner(): Promise<{ main: string; remove: () => void }> {
  const parent = join(root, 'node_modules/.cache');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'runner-test-'));
  const sources = readdirSync(join(root, 'src/runner')).map((name) => join(root, 'src/runner', name));
  await build({
    entryPoints: [...sources, join(root, 'src/engine/channel.ts')],
    outbase: join(root, 'src'),
    outdir: folder,
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  return { main: join(folder, 'runner/main.js'), remove: () => rmSync(folder, { recursive: true }) };
}

/** Writes the files of a deployment to a folder of its own. */
export function writeDeployment(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'deployment-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** What came of one execution. */
export interface Ended {
  status: number;
  headers: [string, string][];
  body: Buffer;
  text: string;
  logs: string;
  errors: string;
  duration: number;
}

type Result = Extract<ThreadReply, { type: 'result' }>;

/** The server's end of one thread. */
export class TestThread {
  readonly index: number;
  readonly replies: ThreadReply[] = [];
  /** Sizes of the pieces that were read. */
  readonly pieces: number[] = [];
  logs: Record<number, string> = {};
  errors: Record<number, string> = {};
  output = '';
  logBytes = 0;
  closed = false;
  readonly socket: Socket;
  readonly #results = new Map<number, Ended>();
  #nextId = 1;

  constructor(index: number, socket: Socket) {
    this.index = index;
    this.socket = socket;
    const reader = new FrameReader((header, body) => this.#receive(header as ThreadReply, body));
    socket.on('data', (chunk: Buffer) => {
      this.pieces.push(chunk.length);
      reader.push(chunk);
    });
    socket.on('end', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.closed = true;
    });
  }

  send(message: ThreadMessage, body?: Uint8Array): void {
    this.socket.write(encodeFrame(message, body));
  }

  frame(request: Partial<Extract<ThreadMessage, { type: 'execute' }>> = {}, body?: Uint8Array): Buffer {
    const id = request.id ?? this.#nextId++;
    return encodeFrame(
      {
        type: 'execute',
        id,
        announce: false,
        method: 'GET',
        path: '/',
        headers: {},
        logging: true,
        ...request,
      },
      body,
    );
  }

  /** Sends one execution and waits for its result. */
  async run(
    request: Partial<Extract<ThreadMessage, { type: 'execute' }>> = {},
    body?: Uint8Array,
  ): Promise<Ended> {
    const id = this.#nextId++;
    this.socket.write(this.frame({ ...request, id }, body));
    return this.result(id);
  }

  result(id: number): Promise<Ended> {
    return waitFor(`the result of execution ${id}`, () => this.#results.get(id));
  }

  hasResult(id: number): boolean {
    return this.#results.has(id);
  }

  #receive(reply: ThreadReply, body: Buffer): void {
    this.replies.push(reply);
    if (reply.type === 'output') this.output += body.toString();
    if (reply.type === 'log') {
      const texts = this[reply.stream];
      this.logBytes += body.length;
      // The end is enough, as in the server.
      texts[reply.id] = ((texts[reply.id] ?? '') + body.toString()).slice(-1_000_000);
    }
    if (reply.type === 'result') this.#results.set(reply.id, this.#ended(reply, body));
  }

  #ended({ id, status, headers, duration }: Result, body: Buffer): Ended {
    return {
      status,
      headers,
      body: Buffer.from(body),
      text: body.toString(),
      logs: this.logs[id] ?? '',
      errors: this.errors[id] ?? '',
      duration,
    };
  }
}

export interface TestRunnerOptions {
  codeDirectory: string;
  entrypoint?: string;
  startFile?: string;
  env?: Record<string, string>;
  maxThreads?: number;
  maxHeapMegabytes?: number;
  channels?: number;
  detached?: boolean;
}

/** The server's end of one runner process. */
export class TestRunner {
  readonly child: ChildProcess;
  readonly ended: Extract<ControlReply, { type: 'ended' }>[] = [];
  ready = false;
  exited = false;
  printed = '';
  #nextThread = 0;

  constructor(main: string, options: TestRunnerOptions) {
    const channels = Array.from({ length: 1 + (options.channels ?? 8) }, () => 'pipe' as const);
    this.child = spawn(process.execPath, [main], {
      stdio: ['ignore', 'pipe', 'pipe', ...channels],
      env: {},
      detached: options.detached ?? false,
    });
    this.child.on('exit', () => {
      this.exited = true;
    });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.on('data', (chunk: Buffer) => {
        this.printed += chunk.toString();
      });
    }
    const reader = new FrameReader((header) => this.#receive(header as ControlReply));
    this.control.on('data', (chunk: Buffer) => reader.push(chunk));
    this.control.on('error', () => {});
    this.order({
      type: 'boot',
      functionId: 'test',
      codeDirectory: options.codeDirectory,
      entrypoint: options.entrypoint ?? 'main.js',
      startFile: options.startFile ?? options.entrypoint ?? 'main.js',
      env: options.env ?? {},
      maxThreads: options.maxThreads ?? 2,
      maxHeapMegabytes: options.maxHeapMegabytes ?? 256,
    });
  }

  get control(): Socket {
    return this.child.stdio[3] as unknown as Socket;
  }

  order(message: ControlMessage): void {
    this.control.write(encodeFrame(message));
  }

  /** Starts the next thread and waits until it takes executions. */
  async start(): Promise<TestThread> {
    const thread = this.startUnwaited();
    await waitFor('hello', () => thread.replies[0]?.type === 'hello');
    return thread;
  }

  startUnwaited(): TestThread {
    const index = this.#nextThread++;
    const thread = new TestThread(index, this.child.stdio[4 + index] as unknown as Socket);
    this.order({ type: 'start', thread: index });
    return thread;
  }

  /** Waits until that thread has ended and its channel is closed, and returns why. */
  async reason(thread: TestThread): Promise<string> {
    const ended = await waitFor('the end of the thread', () =>
      this.ended.find((reply) => reply.thread === thread.index),
    );
    await waitFor('the end of its channel', () => thread.closed);
    return ended.reason;
  }

  async close(): Promise<void> {
    for (const stream of this.child.stdio) stream?.destroy();
    this.child.kill('SIGKILL');
    await waitFor('the end of the runner', () => this.exited);
  }

  #receive(reply: ControlReply): void {
    if (reply.type === 'ready') this.ready = true;
    else this.ended.push(reply);
  }
}
