import type { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import type { Duplex } from 'node:stream';
import { ChannelError, type ControlMessage, encodeFrame, FrameReader } from './channel.js';
import { readControlReply } from './replies.js';
import { RunnerThread } from './runner-thread.js';
import type { Job, NetworkPolicy, Outcome, Sandbox, StartedRunner, Target } from './types.js';

/** A runner that has not said `ready` by then is ended. */
const BOOT_DEADLINE_MS = 15_000;
/** A thread that has not said `hello`, or has ended and left its channel open, by then: its runner is ended. */
const THREAD_DEADLINE_MS = 10_000;
/** A thread that has not gone so long after a kill, ms, is stuck in a call that nothing can interrupt. */
const KILL_DEADLINE_MS = 1_000;
/** Threads that may be booting at a time: the first ones often do the work before the next is up. */
const MAX_BOOTING_THREADS = 2;
/** Threads that are worth having for executions so short that each thread is handed several. */
const THREADS_FOR_SHORT = availableParallelism();
/** What a runner prints before it is ready tells why it never gets there. */
const MAX_BOOT_OUTPUT_CHARACTERS = 2_000;

export interface RunnerEvents {
  /** There is room in it, or it is gone: look at the queue again. */
  changed(runner: Runner): void;
  ended(job: Job, outcome: Outcome): void;
  returned(jobs: Job[]): void;
  output(runner: Runner, text: string): void;
  /** The process has ended and holds nothing any more. `failedToStart`: it never was ready. */
  gone(runner: Runner, reason: string, failedToStart: boolean): void;
}

export interface RunnerOptions {
  sandbox: Sandbox;
  target: Target;
  network: NetworkPolicy;
  maxThreads: number;
}

/** The server's end of one runner: the process, its control socket and its threads. */
export class Runner {
  readonly target: Target;
  readonly startedAt = performance.now();
  /** Set when it shall take no more executions: it ends as soon as it is empty. */
  retiring = false;
  ready = false;
  idleSince = performance.now();
  readonly #events: RunnerEvents;
  readonly #process: StartedRunner;
  readonly #control: Socket;
  readonly #maxThreads: number;
  readonly #channels: number;
  #threads: RunnerThread[] = [];
  #nextThread = 0;
  #bootOutput = '';
  #violation = '';
  #exit = '';
  #gone = false;
  #released = false;

  /** @throws when the process can't be spawned. */
  constructor(options: RunnerOptions, events: RunnerEvents) {
    this.target = options.target;
    this.#events = events;
    this.#maxThreads = options.maxThreads;
    // A channel serves one thread and closes with it, so there are some to spare for threads that are killed.
    this.#channels = options.maxThreads * 2 + 4;
    this.#process = options.sandbox.start({
      codeDirectory: options.target.codeDirectory,
      network: options.network,
      threadChannels: this.#channels,
    });
    const { child } = this.#process;
    this.#control = child.stdio[3] as unknown as Socket;
    this.#watchProcess();
    this.#boot(options.target);
  }

  get pid(): number | undefined {
    return this.#process.child.pid;
  }

  /** Executions in its threads, or promised to them. */
  get load(): number {
    return this.#threads.reduce((sum, thread) => sum + thread.load, 0);
  }

  /** Nothing runs in it and nothing is about to. */
  get idle(): boolean {
    return this.ready && this.load === 0 && this.#threads.every(({ state }) => state !== 'starting');
  }

  /** Whether it may still be given executions. */
  get usable(): boolean {
    return !this.retiring && !this.#gone && this.#violation === '';
  }

  /**
   * A thread with room while at most `limit` executions may be in one; the fullest first, so that the fewest threads
   * are kept busy. Starts another thread if none has room. Null: none now; `changed` says when to ask again.
   */
  threadWithRoom(limit: number): RunnerThread | null {
    let best: RunnerThread | null = null;
    let booting = 0;
    let alive = 0;
    for (const thread of this.#threads) {
      if (thread.state === 'starting') booting += 1;
      if (thread.state === 'starting' || thread.state === 'up') alive += 1;
      if (thread.hasRoom(limit) && (best === null || thread.load > best.load)) best = thread;
    }
    if (best) return best;
    const most = limit > 1 ? Math.min(THREADS_FOR_SHORT, this.#maxThreads) : this.#maxThreads;
    if (this.ready && alive < most && booting < MAX_BOOTING_THREADS) this.#startThread();
    return null;
  }

  /** Ends what has run for too long. `now` is `performance.now()`. */
  checkClock(now: number, recallAfterMs: number): void {
    for (const thread of this.#threads) thread.checkClock(now, recallAfterMs);
  }

  /** Takes no more executions, and ends when those in it have ended. */
  retire(): void {
    this.retiring = true;
    if (this.load === 0) this.kill();
  }

  /** Ends the process at once; `reason` is what its executions say. */
  stop(reason: string): void {
    for (const thread of this.#threads) thread.explainEnd(reason);
    this.kill();
  }

  /** Ends the process at once. */
  kill(): void {
    this.#process.child.kill('SIGKILL');
  }

  #boot(target: Target): void {
    this.#sendControl({
      type: 'boot',
      functionId: target.functionId,
      codeDirectory: this.#process.codeDirectory,
      entrypoint: target.entrypoint,
      startFile: target.startFile,
      env: target.env,
      maxThreads: this.#maxThreads,
      maxHeapMegabytes: target.memoryMegabytes,
    });
    this.#deadline(BOOT_DEADLINE_MS, () => !this.ready, 'it did not get ready in time');
  }

  #startThread(): void {
    if (this.#nextThread >= this.#channels) {
      // Every channel has been used: a fresh process takes over once this one has drained.
      this.retire();
      return;
    }
    const index = this.#nextThread++;
    const socket = this.#process.child.stdio[4 + index] as unknown as Socket;
    const thread = new RunnerThread(index, socket, {
      free: () => this.#freed(),
      ended: (job, outcome) => this.#events.ended(job, outcome),
      returned: (jobs) => this.#events.returned(jobs),
      output: (text) => this.#events.output(this, text),
      violation: (reason) => this.#violate(reason),
      gone: () => this.#threadGone(thread),
    });
    thread.onKill = () => {
      this.#sendControl({ type: 'kill', thread: index });
      setTimeout(() => this.#giveUp(thread), KILL_DEADLINE_MS).unref();
    };
    this.#threads.push(thread);
    this.#sendControl({ type: 'start', thread: index });
    this.#deadline(THREAD_DEADLINE_MS, () => thread.state === 'starting', 'a thread did not start in time');
  }

  /** A thread that can't be ended keeps its process busy: that takes no more work, and ends when the others have. */
  #giveUp(thread: RunnerThread): void {
    if (this.#gone || thread.state === 'gone') return;
    this.retiring = true;
    thread.giveUp();
  }

  #freed(): void {
    this.idleSince = performance.now();
    if (this.retiring && this.load === 0) this.kill();
    this.#events.changed(this);
  }

  #threadGone(thread: RunnerThread): void {
    this.#threads = this.#threads.filter((other) => other !== thread);
    if (this.#gone) this.#releaseWhenEmpty();
    else this.#freed();
  }

  #sendControl(message: ControlMessage): void {
    if (!this.#control.destroyed) this.#control.write(encodeFrame(message));
  }

  #receiveControl(header: Record<string, unknown>): void {
    const reply = readControlReply(header);
    if (reply.type === 'ready') {
      this.ready = true;
      this.#events.changed(this);
      return;
    }
    const thread = this.#threads.find((other) => other.index === reply.thread);
    if (!thread) return;
    thread.explainEnd(reply.reason);
    // Its channel closes by itself once what is in it has been read; a hostile one is not waited for.
    this.#deadline(
      THREAD_DEADLINE_MS,
      () => thread.state !== 'gone',
      'a thread ended without closing its channel',
    );
  }

  #watchProcess(): void {
    const { child } = this.#process;
    const reader = new FrameReader((header) => this.#receiveControl(header), 0);
    this.#control.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        if (!(error instanceof ChannelError)) throw error;
        this.#violate(error.message);
      }
    });
    for (const socket of child.stdio.slice(3) as (Duplex | null)[])
      socket?.on('error', () => socket.destroy());
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#print(text));
    }
    child.on('error', (error) => this.#processGone(`it could not be started: ${error.message}`));
    child.on('exit', (code, signal) => this.#processGone(signal ? `signal ${signal}` : `exit code ${code}`));
  }

  #print(text: string): void {
    if (!this.ready) this.#bootOutput = (this.#bootOutput + text).slice(-MAX_BOOT_OUTPUT_CHARACTERS);
    else this.#events.output(this, text);
  }

  #violate(reason: string): void {
    this.#violation ||= reason;
    this.kill();
  }

  /** Ends the runner if `stillWaiting()` after that time. */
  #deadline(ms: number, stillWaiting: () => boolean, reason: string): void {
    setTimeout(() => {
      if (!this.#gone && stillWaiting()) this.#violate(reason);
    }, ms).unref();
  }

  /** The process is gone: what is still in its sockets is read, then everything in it is ended or returned. */
  #processGone(how: string): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#exit = this.#violation ? `${this.#violation}; ${how}` : how;
    for (const thread of this.#threads) {
      thread.closeWhenRead();
      thread.explainEnd(`The runner process ended unexpectedly (${this.#exit}).`);
    }
    this.#releaseWhenEmpty();
  }

  #releaseWhenEmpty(): void {
    if (this.#threads.length > 0 || this.#released) return;
    this.#released = true;
    for (const socket of this.#process.child.stdio) socket?.destroy();
    this.#process.release();
    const output = this.ready ? '' : this.#bootOutput.trim();
    this.#events.gone(this, output ? `${this.#exit}: ${output}` : this.#exit, !this.ready && !this.retiring);
  }
}
