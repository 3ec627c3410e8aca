/**
 * The runner's process: takes orders on the control socket and keeps the worker threads. No code of the function runs
 * on this thread, so that an order to end one is obeyed whatever the function does. A fault here is a fault of the
 * runner: Node prints it and ends the process, and the server replaces it.
 */
import { Socket } from 'node:net';
import {
  CONTROL_DESCRIPTOR,
  type ControlMessage,
  type ControlReply,
  encodeFrame,
  FrameReader,
} from '../engine/channel.js';
import { Threads } from './threads.js';

const control = new Socket({ fd: CONTROL_DESCRIPTOR, readable: true, writable: true });
let threads: Threads | null = null;

const reply = (message: ControlReply): void => {
  control.write(encodeFrame(message));
};

function obey(message: ControlMessage): void {
  switch (message.type) {
    case 'boot':
      enter(message.codeDirectory);
      threads = new Threads(message, (thread, reason) => reply({ type: 'ended', thread, reason }));
      reply({ type: 'ready' });
      return;
    case 'start':
      threads?.start(message.thread);
      return;
    case 'kill':
      threads?.kill(message.thread);
  }
}

/** Threads have no working directory of their own: the process's is the deployment's root. */
function enter(codeDirectory: string): void {
  try {
    process.chdir(codeDirectory);
  } catch {
    // It is not there: each execution will say that its entrypoint does not exist.
  }
}

/** The server is gone: nothing that it started may stay, not even what the function has started. */
function die(): void {
  for (const target of [-process.pid, process.pid]) {
    try {
      // As process 1 of a sandbox, the negative number would mean every process there is; they end with it anyway.
      if (target !== -1) process.kill(target, 'SIGKILL');
    } catch {
      // No process group of that number: this process leads none.
    }
  }
  process.exit(1); // Process 1 of a sandbox can't be killed from within.
}

// Ctrl-C in a terminal reaches every process of the group; when this one ends is for the server to decide.
process.on('SIGINT', () => {});

const reader = new FrameReader((header) => obey(header as ControlMessage));
control.on('data', (chunk: Buffer) => reader.push(chunk));
control.on('end', die);
control.on('error', die);
control.on('close', die);
