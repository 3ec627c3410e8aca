import { AsyncLocalStorage } from 'node:async_hooks';
import { formatThrown } from './format.js';
import { type ExecutionLogger, writeOutput } from './logger.js';
import type { Cleaner } from './stack.js';
import type { FrameWriter } from './writer.js';

/** Tells which execution the code that runs right now belongs to, across awaits. */
export const runningExecution = new AsyncLocalStorage<ExecutionLogger>();

/** What the guards need of the thread they stand around. */
export interface GuardedThread {
  readonly writer: FrameWriter;
  readonly clean: Cleaner;
  /** The execution that runs in the thread now, if any. */
  readonly current: ExecutionLogger | null;
  /** Ends the thread at once; `reason` is for the errors of the execution that runs. */
  end(reason: string, exitCode?: number): void;
}

/**
 * Stands between the function and what would end its thread or escape its logs:
 * - `process.exit` and `process.abort` end the thread, and the execution's errors say that they were called; called by
 *   what an execution has left behind when it ended, they throw;
 * - an exception or rejection that nobody handles fails the execution that it came from, then ends the thread, since
 *   nothing is known about the state it left behind. One that came from no execution, or from one that has ended, is
 *   only reported: it must not fail somebody else's. If it can't be told where it came from, it is the running one's.
 *   Where the function has a handler of its own, that one decides;
 * - what is written to standard output and standard error goes to the logs of the execution that wrote it.
 */
export function installGuards(thread: GuardedThread): void {
  guardExits(thread);
  guardFaults(thread);
  capture(process.stdout, thread.writer);
  capture(process.stderr, thread.writer);
}

function guardExits(thread: GuardedThread): void {
  process.exit = ((code?: number | string | null) => {
    const exitCode = code ?? process.exitCode ?? 0;
    refuseLate(`process.exit(${exitCode})`);
    thread.end(`The function called process.exit(${exitCode}).`, Number(exitCode) || 0);
  }) as typeof process.exit;
  process.abort = (() => {
    refuseLate('process.abort()');
    thread.end('The function called process.abort().', 1);
  }) as typeof process.abort;

  /** Code that an execution has left behind must not end the one that runs now. */
  function refuseLate(call: string): void {
    if (runningExecution.getStore()?.ended) {
      throw new Error(`${call} was called after its execution had ended, and does nothing`);
    }
  }
}

function guardFaults(thread: GuardedThread): void {
  process.on('uncaughtException', (error, origin) => {
    if (origin === 'uncaughtException') fault('uncaughtException', 'an exception was not caught', error);
  });
  process.on('unhandledRejection', (reason) => {
    fault('unhandledRejection', 'the rejection of a promise was not handled', reason);
  });

  function fault(event: string, what: string, thrown: unknown): void {
    if (process.listenerCount(event) > 1) return;
    const text = formatThrown(thrown, thread.clean);
    const source = runningExecution.getStore() ?? thread.current;
    if (!source || source.ended) {
      writeOutput(thread.writer, `Outside an execution, ${what}: ${text}\n`);
      return;
    }
    source.fault(text);
    thread.end(`The thread was ended because ${what}.`, 1);
  }
}

function capture(stream: NodeJS.WriteStream, writer: FrameWriter): void {
  const write = (
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | ((error?: Error | null) => void),
    callback?: (error?: Error | null) => void,
  ): boolean => {
    const text = textOf(chunk, typeof encoding === 'string' ? encoding : 'utf8');
    const execution = runningExecution.getStore();
    if (execution) execution.native(text);
    else writeOutput(writer, text);
    const done = typeof encoding === 'function' ? encoding : callback;
    if (done) process.nextTick(done);
    return true;
  };
  stream.write = write as typeof stream.write;
}

function textOf(chunk: string | Uint8Array, encoding: BufferEncoding): string {
  if (typeof chunk !== 'string') {
    return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('utf8');
  }
  return encoding === 'utf8' || encoding === 'utf-8' ? chunk : Buffer.from(chunk, encoding).toString('utf8');
}
