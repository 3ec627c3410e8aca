import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import {
  type ControlMessage,
  type ControlReply,
  encodeFrame,
  FrameReader,
  type ThreadMessage,
  type ThreadReply,
} from '../../../src/engine/channel.js';
import { waitFor } from '../../support/wait-for.js';
import { writeDeployment } from './compiled.js';

type Execute = Extract<ThreadMessage, { type: 'execute' }>;
type Boot = Extract<ControlMessage, { type: 'boot' }>;

/** What came of one execution. */
export interface Ended {
  status: number;
  headers: [string, string][];
  text: string;
  logs: string;
  errors: string;
  duration: number;
}

/** Channels of a test's runner: as many threads as it may ever start. */
const CHANNELS = 8;

/** The server's end of one thread. */
export class TestThread {
  readonly index: number;
  readonly replies: ThreadReply[] = [];
  readonly socket: Socket;
  /** Text that belongs to no execution. */
  output = '';
  closed = false;
  readonly #logs = { logs: new Map<number, string>(), errors: new Map<number, string>() };
  readonly #results = new Map<number, Ended>();
  #nextId = 1;

  constructor(index: number, socket: Socket) {
    this.index = index;
    this.socket = socket;
    const reader = new FrameReader((header, body) => this.#receive(header as ThreadReply, body));
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    socket.on('end', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.closed = true;
    });
  }

  /** Hands these executions over, together, and returns their ids. */
  assign(...requests: (Partial<Execute> & { body?: Uint8Array })[]): number[] {
    const ids: number[] = [];
    const frames = requests.map(({ body, ...request }) => {
      const id = this.#nextId++;
      ids.push(id);
      const defaults = { announce: false, method: 'GET', path: '/', headers: {}, logging: true };
      return encodeFrame({ type: 'execute', id, ...defaults, ...request }, body);
    });
    this.socket.write(Buffer.concat(frames));
    return ids;
  }

  recall(): void {
    this.socket.write(encodeFrame({ type: 'recall' }));
  }

  /** Runs one execution to its end. */
  run(request: Partial<Execute> & { body?: Uint8Array } = {}): Promise<Ended> {
    return this.result(this.assign(request)[0]!);
  }

  result(id: number): Promise<Ended> {
    return waitFor(`the result of execution ${id}`, () => this.#results.get(id));
  }

  /** Ids of the executions that have ended, in that order. */
  get ended(): number[] {
    return [...this.#results.keys()];
  }

  logs(id: number): string {
    return this.#logs.logs.get(id) ?? '';
  }

  errors(id: number): string {
    return this.#logs.errors.get(id) ?? '';
  }

  #receive(reply: ThreadReply, body: Buffer): void {
    this.replies.push(reply);
    const text = body.toString();
    if (reply.type === 'output') this.output += text;
    if (reply.type === 'log') {
      const texts = this.#logs[reply.stream];
      texts.set(reply.id, (texts.get(reply.id) ?? '') + text);
    }
    if (reply.type !== 'result') return;
    const { id, status, headers, duration } = reply;
    if (reply.next !== undefined) this.replies.push({ type: 'started', id: reply.next });
    this.#results.set(id, { status, headers, text, logs: this.logs(id), errors: this.errors(id), duration });
  }
}

/** The server's end of one runner process. */
export class TestRunner {
  readonly child: ChildProcess;
  readonly codeDirectory: string;
  readonly #ends: Extract<ControlReply, { type: 'ended' }>[] = [];
  ready = false;
  exited = false;
  #nextThread = 0;

  constructor(main: string, boot: Omit<Boot, 'type'>) {
    this.codeDirectory = boot.codeDirectory;
    this.child = spawn(process.execPath, [main], {
      stdio: ['ignore', 'inherit', 'inherit', ...Array.from({ length: 1 + CHANNELS }, () => 'pipe' as const)],
      env: { SERVER_SECRET: 'for no function to see' },
      // It ends its process group with itself, which must not be the tests'.
      detached: true,
    });
    this.child.on('exit', () => {
      this.exited = true;
    });
    const reader = new FrameReader((header) => this.#receive(header as ControlReply));
    this.control.on('data', (chunk: Buffer) => reader.push(chunk));
    this.control.on('error', () => {});
    this.#order({ type: 'boot', ...boot });
  }

  get control(): Socket {
    return this.child.stdio[3] as unknown as Socket;
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
    this.#order({ type: 'start', thread: index });
    return thread;
  }

  kill(thread: TestThread): void {
    this.#order({ type: 'kill', thread: thread.index });
  }

  /** Waits until that thread has ended and its channel is closed, and returns why. */
  async reason(thread: TestThread): Promise<string> {
    await waitFor('the end of the thread', () => this.reasons(thread).length > 0);
    await waitFor('the end of its channel', () => thread.closed);
    return this.reasons(thread)[0]!;
  }

  /** What has been said so far about the end of that thread. */
  reasons(thread: TestThread): string[] {
    return this.#ends.filter((end) => end.thread === thread.index).map(({ reason }) => reason);
  }

  async close(): Promise<void> {
    for (const stream of this.child.stdio) stream?.destroy();
    this.child.kill('SIGKILL');
    await waitFor('the end of the runner', () => this.exited);
  }

  #order(message: ControlMessage): void {
    this.control.write(encodeFrame(message));
  }

  #receive(reply: ControlReply): void {
    if (reply.type === 'ready') this.ready = true;
    else this.#ends.push(reply);
  }
}

/** Starts a runner of the compiled `main` for a deployment of these files, the first being the entrypoint. */
export function startRunner(
  main: string,
  files: Record<string, string>,
  boot: Partial<Omit<Boot, 'type'>> = {},
): TestRunner {
  const entrypoint = Object.keys(files)[0]!;
  const runner = new TestRunner(main, {
    functionId: 'test',
    codeDirectory: writeDeployment(files),
    entrypoint,
    startFile: entrypoint,
    env: {},
    maxThreads: 2,
    maxHeapMegabytes: 256,
    ...boot,
  });
  onTestFinished(() => runner.close());
  return runner;
}
