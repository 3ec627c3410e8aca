/** The task of a worker thread: serves the executions of its channel for as long as the thread lives. */
import { Socket } from 'node:net';
import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { FrameReader, type ThreadMessage } from '../engine/channel.js';
import { installGuards } from './guards.js';
import { FunctionLoader } from './load.js';
import { createCleaner } from './stack.js';
import { type EndNotice, ThreadFlag, type ThreadTask } from './task.js';
import { FunctionThread } from './thread.js';
import { FrameWriter } from './writer.js';

/** How long a thread that ends waits until its reason has been passed on, ms. */
const ACKNOWLEDGE_TIMEOUT_MS = 1_000;

const exit = process.exit.bind(process);

/**
 * Piscina's entry. Never returns: the thread ends with its channel, so that no thread ever serves two channels.
 */
export default async function invoke(task: ThreadTask): Promise<void> {
  const flags = new Int32Array(task.flags);
  Object.assign(process.env, task.env);
  process.argv = [process.execPath, join(task.codeDirectory, task.startFile)];

  Atomics.store(flags, ThreadFlag.descriptorTaken, 1);
  // The socket reads, and makes the descriptor non-blocking; writing is done beside it.
  const socket = new Socket({ fd: task.descriptor, readable: true, writable: false });
  const writer = new FrameWriter(task.descriptor);
  const clean = createCleaner(task.codeDirectory);
  const thread = new FunctionThread(writer, clean, new FunctionLoader(task, clean));

  const end = (reason: string, exitCode = 0): void => {
    writer.flush();
    const notice: EndNotice = { thread: task.thread, endReason: reason };
    parentPort?.postMessage(notice);
    // The channel closes with the thread, and the server must know the reason by then.
    Atomics.wait(flags, ThreadFlag.endAcknowledged, 0, ACKNOWLEDGE_TIMEOUT_MS);
    exit(exitCode);
  };
  installGuards({
    writer,
    clean,
    end,
    get current() {
      return thread.current;
    },
  });

  const reader = new FrameReader((header, body) => thread.receive(header as ThreadMessage, body));
  socket.on('data', (chunk: Buffer) => reader.push(chunk));
  socket.on('error', () => end('The channel was closed.'));
  socket.on('end', () => end('The channel was closed.'));
  writer.send({ type: 'hello' });
  await new Promise<never>(() => {});
}
