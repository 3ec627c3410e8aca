import { performance } from 'node:perf_hooks';
import type { ThreadMessage } from '../engine/channel.js';
import { createContext } from './context.js';
import { formatThrown } from './format.js';
import { runningExecution } from './guards.js';
import { type FunctionLoader, LOAD_FAULT_STATUS, LoadFault } from './load.js';
import { ExecutionLogger } from './logger.js';
import { type FinalResponse, readResponse } from './response.js';
import { ResponseFault } from './response-headers.js';
import type { Cleaner } from './stack.js';
import type { FrameWriter } from './writer.js';

/** After this many executions in a row, or this time, everything else in the thread gets its turn. */
const MAX_EXECUTIONS_IN_A_ROW = 16;
const MAX_TIME_IN_A_ROW_MS = 5;

type Execute = Extract<ThreadMessage, { type: 'execute' }>;

interface Assignment {
  message: Execute;
  body: Buffer;
}

/**
 * Runs the executions of one worker thread: one at a time, in the order they came.
 * Nothing but the frames goes in or out; time limits are the server's business, which ends the thread.
 */
export class FunctionThread {
  readonly writer: FrameWriter;
  readonly clean: Cleaner;
  readonly #loader: FunctionLoader;
  #waiting: Assignment[] = [];
  #working = false;
  #current: ExecutionLogger | null = null;

  constructor(writer: FrameWriter, clean: Cleaner, loader: FunctionLoader) {
    this.writer = writer;
    this.clean = clean;
    this.#loader = loader;
  }

  get current(): ExecutionLogger | null {
    return this.#current;
  }

  receive(message: ThreadMessage, body: Buffer): void {
    if (message.type === 'recall') {
      this.#giveBack();
      return;
    }
    this.#waiting.push({ message, body });
    if (this.#working) return;
    this.#working = true;
    void this.#work();
  }

  /** Gives back what has not started. */
  #giveBack(): void {
    const ids = this.#waiting.map(({ message }) => message.id);
    this.#waiting = [];
    this.writer.send({ type: 'recalled', ids });
  }

  async #work(): Promise<void> {
    let count = 0;
    let since = performance.now();
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const ended = await this.#run(next);
      count += 1;
      if (count < MAX_EXECUTIONS_IN_A_ROW && ended - since < MAX_TIME_IN_A_ROW_MS) continue;
      this.writer.flush();
      await new Promise(setImmediate);
      count = 0;
      since = performance.now();
    }
    this.#working = false;
    this.writer.flush();
  }

  /** Runs one execution to its end, and returns the time then. Its result is held, to leave with what comes next. */
  async #run({ message, body }: Assignment): Promise<number> {
    if (message.announce) this.writer.announce(message.id);
    else this.writer.flush();
    const start = performance.now();
    const logger = new ExecutionLogger(this.writer, this.clean, message.id, message.logging);
    this.#current = logger;
    let response: FinalResponse;
    try {
      response = readResponse(await runningExecution.run(logger, this.#call, message, body, logger));
    } catch (error) {
      response = this.#failure(error, logger);
    }
    logger.end();
    this.#current = null;
    const ended = performance.now();
    const { status, headers } = response;
    const duration = ended - start;
    this.writer.hold({ type: 'result', id: message.id, status, headers, duration }, response.body);
    return ended;
  }

  #call = (message: Execute, body: Buffer, logger: ExecutionLogger): unknown => {
    const { loaded } = this.#loader;
    const context = createContext({ ...message, body }, logger);
    // Waiting for what is there already would cost every execution a turn.
    return loaded ? loaded(context) : this.#loader.load().then((loadedNow) => loadedNow(context));
  };

  #failure(error: unknown, logger: ExecutionLogger): FinalResponse {
    const ours = error instanceof ResponseFault || error instanceof LoadFault;
    logger.fault(ours ? error.message : formatThrown(error, this.clean));
    const status = error instanceof LoadFault ? LOAD_FAULT_STATUS : 500;
    return { status, headers: [['content-type', 'text/plain; charset=utf-8']], body: Buffer.alloc(0) };
  }
}
