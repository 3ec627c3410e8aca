import { chmodSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { NetworkPolicy, StartedRunner } from '../types.js';
import { whyBubblewrapFails } from './advice.js';
import {
  bubblewrapArguments,
  CODE_DIRECTORY,
  foldersToMask,
  networkMounts,
  systemLayout,
} from './bubblewrap-arguments.js';
import { strayDescriptors } from './descriptors.js';
import { type LaunchSpec, type Level, startProcess } from './launch.js';
import { probe } from './probe.js';
import { findProgram, type Mount, RUNNER_MAIN, type RunnerProgram, runnerEnvironment } from './program.js';
import { buildFilter, hasFilter } from './seccomp.js';
import { blockingFolders, isOpen, stage, stagedCommand } from './staging.js';
import { UidPool } from './uid-pool.js';

/** Fixed, so that nobody's PATH decides what makes the walls. */
const bubblewrapFiles = ['/usr/bin/bwrap', '/usr/local/bin/bwrap', '/bin/bwrap'];

export interface LevelOptions {
  /** Absolute path of the server's data folder. */
  dataDirectory: string;
  /** Absolute path of the server's package. */
  installRoot: string;
  /** Policy to try the level with. */
  network: NetworkPolicy;
}

/** What stays the same for all runners of a level. */
interface Parts {
  bubblewrap: string;
  program: RunnerProgram;
  node: string;
  /** The runner's program, and Node if it is not below /usr. */
  mounts: Mount[];
  layout: string[];
  masked: string[];
  filter: Buffer;
  strays: number[];
  /** Null when the server is not root: its runners then have its own id. */
  uids: UidPool | null;
}

/**
 * The level `bubblewrap`, tried with a process that really starts in it.
 * @throws Error that says why it does not work here and what would change that.
 */
export async function openBubblewrap(options: LevelOptions): Promise<Level> {
  if (process.platform !== 'linux') throw new Error('bubblewrap exists for Linux only');
  const bubblewrap = bubblewrapFiles.find((file) => existsSync(file));
  if (!bubblewrap) {
    throw new Error('bubblewrap is not installed: `apt-get install bubblewrap` (or your system’s way)');
  }
  if (!hasFilter(process.arch)) throw new Error(`there is no seccomp filter for ${process.arch} yet`);
  const program = findProgram(options.installRoot);
  const executable = realpathSync(process.execPath);
  const node = executable.startsWith('/usr/') ? executable : '/opt/node/node';
  const parts: Parts = {
    bubblewrap,
    program,
    node,
    mounts: node === executable ? program.mounts : [...program.mounts, { source: executable, target: node }],
    layout: systemLayout(),
    masked: foldersToMask(
      ['/usr/src', options.dataDirectory, program.installRoot, process.cwd()],
      executable,
    ),
    filter: buildFilter(process.arch),
    strays: strayDescriptors(),
    uids: process.getuid?.() === 0 ? new UidPool() : null,
  };
  return tryLevel(parts, options);
}

/** With a /proc if the kernel lets us mount one, else without. */
async function tryLevel(parts: Parts, options: LevelOptions): Promise<Level> {
  const folder = mkdtempSync(join(options.dataDirectory, 'probe-'));
  try {
    chmodSync(folder, 0o755);
    const sources = [...parts.mounts.map(({ source }) => source), folder];
    const blocked = parts.uids ? blockedFolders(sources) : [];
    let failure: Error | undefined;
    for (const ownProc of [true, false]) {
      const level: Level = {
        launch: (spec) => launch(parts, spec, ownProc),
        runnerMain: RUNNER_MAIN,
        notes: notesOn(ownProc, blocked),
      };
      try {
        await probe(level, { codeDirectory: folder, network: options.network });
        return level;
      } catch (error) {
        failure = error as Error;
      }
    }
    throw new Error(
      whyBubblewrapFails(failure?.message ?? '', {
        asRoot: parts.uids !== null,
        blocked,
        closed: closedSources(parts),
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function launch(parts: Parts, spec: LaunchSpec, ownProc: boolean): StartedRunner {
  const mounts = [
    ...parts.mounts,
    { source: realpathSync(spec.codeDirectory), target: CODE_DIRECTORY },
    ...(spec.network === 'egress' ? networkMounts() : []),
  ];
  const staged = parts.uids ? stage(mounts) : { mounts, place: null, sources: [] };
  const uid = parts.uids?.take();
  const release = (): void => {
    if (uid !== undefined) parts.uids?.giveBack(uid);
  };
  // Control, threads, filter.
  const sockets = 1 + spec.threadChannels + 1;
  try {
    const child = startProcess({ sockets, lastMessage: parts.filter, strays: parts.strays }, (covered) => {
      const args = bubblewrapArguments({
        ...parts,
        nodeArguments: spec.nodeArguments,
        network: spec.network,
        ownProc,
        mounts: staged.mounts,
        filterDescriptor: 2 + sockets,
        closed: covered,
      });
      // bubblewrap is process 1 in there, so its own environment must be one the function may read.
      const place = { cwd: '/', env: runnerEnvironment('/tmp') };
      if (staged.place === null || uid === undefined) return { file: parts.bubblewrap, args, uid, ...place };
      const { place: folder, sources } = staged;
      return { ...stagedCommand({ place: folder, sources }, uid, [parts.bubblewrap, ...args]), ...place };
    });
    return { child, codeDirectory: CODE_DIRECTORY, release };
  } catch (error) {
    release();
    throw error;
  }
}

function notesOn(ownProc: boolean, blocked: string[]): string[] {
  const notes: string[] = [];
  if (!ownProc)
    notes.push('Runners have no /proc, because the kernel does not let them mount one of their own here.');
  if (blocked.length > 0) {
    notes.push(
      `Runners start more slowly, because their own user may not pass ${blocked.join(', ')}; \`chmod o+x ${blocked.join(' ')}\` changes that.`,
    );
  }
  return notes;
}

/** The folders that keep other users from these paths, each once. */
function blockedFolders(paths: string[]): string[] {
  return [...new Set(paths.flatMap((path) => blockingFolders(realpathSync(path))))];
}

function closedSources(parts: Parts): string[] {
  return parts.mounts.map(({ source }) => source).filter((source) => !isOpen(source));
}
