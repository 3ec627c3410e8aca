import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { RunnerSpec, StartedRunner } from '../types.js';
import { withStrayDescriptorsCovered } from './descriptors.js';

/** What a level needs to know to start Node with any program in it. */
export interface LaunchSpec extends RunnerSpec {
  /** What follows `node` on the command line. */
  nodeArguments: readonly string[];
}

/** A sandbox level that was found to work, able to start any program of Node. */
export interface Level {
  launch(spec: LaunchSpec): StartedRunner;
  /** The runner's start file as the runner sees it. */
  runnerMain: string;
  /** Sentences for the log. */
  notes: string[];
}

export interface Command {
  /** Absolute path. */
  file: string;
  args: string[];
  /** User and group id to change to, with no other groups. */
  uid?: number;
  cwd: string;
  env: Record<string, string>;
}

export interface Descriptors {
  /** Sockets from descriptor 3 on. */
  sockets: number;
  /** Sent to the process on the last of them, which is then closed. */
  lastMessage?: Buffer;
  /** As `strayDescriptors` found them. */
  strays: readonly number[];
}

/**
 * Starts a process that gets the sockets and no other descriptor of the server, in a session of its own (a Ctrl-C in
 * the server's terminal is for the server alone).
 * @throws Error when it can't be spawned.
 */
export function startProcess(
  descriptors: Descriptors,
  command: (covered: number[]) => Command,
): ChildProcess {
  const stdio: ('ignore' | 'pipe')[] = ['ignore', 'pipe', 'pipe'];
  for (let count = 0; count < descriptors.sockets; count += 1) stdio.push('pipe');
  const child = withStrayDescriptorsCovered(stdio, descriptors.strays, (all, covered) => {
    const { file, args, uid, cwd, env } = command(covered);
    return spawn(file, args, {
      cwd,
      env,
      stdio: all,
      detached: true,
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
  });
  if (child.pid === undefined) {
    // Node reports some failures by an event only, later.
    child.on('error', () => {});
    for (const stream of child.stdio ?? []) stream?.destroy();
    throw new Error(`${child.spawnfile} could not be started`);
  }
  if (descriptors.lastMessage) {
    const socket = child.stdio[2 + descriptors.sockets] as unknown as Socket;
    // An early end of the process shows as its exit, not here.
    socket.on('error', () => socket.destroy());
    socket.resume();
    socket.end(descriptors.lastMessage);
  }
  return child;
}
