import { chmodSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StartedRunner } from '../types.js';
import type { LevelOptions } from './bubblewrap.js';
import { strayDescriptors } from './descriptors.js';
import { type LaunchSpec, type Level, startProcess } from './launch.js';
import { probe } from './probe.js';
import { findProgram, type RunnerProgram, runnerEnvironment } from './program.js';

/** Open files of a runner: its sockets, and what a function opens. */
const MAX_OPEN_FILES = 1024;

/** Sets what POSIX lets every shell set, then becomes the command. */
const limitScript = `ulimit -c 0; ulimit -n ${MAX_OPEN_FILES} 2>/dev/null; exec "$@"`;

/** What ends the runner with the server, where there is something that can. */
const pdeathsig = { file: '/usr/bin/setpriv', args: ['--pdeathsig', 'KILL', '--no-new-privs', '--'] };

/**
 * The level `process`, tried with a process that really starts in it.
 * @throws Error that says why it does not work here.
 */
export async function openProcessLevel(options: Omit<LevelOptions, 'dataDirectory'>): Promise<Level> {
  const program = findProgram(options.installRoot);
  const strays = strayDescriptors();
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'probe-'));
  try {
    let failure: Error | undefined;
    for (const wrapped of existsSync(pdeathsig.file) ? [true, false] : [false]) {
      const level: Level = {
        launch: (spec) => launch(program, strays, spec, wrapped),
        runnerMain: program.mainFile,
        notes: [],
      };
      try {
        await probe(level, { codeDirectory: folder, network: options.network });
        return level;
      } catch (error) {
        failure = error as Error;
      }
    }
    throw new Error(`a runner does not start as a plain process here: ${failure?.message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function launch(program: RunnerProgram, strays: number[], spec: LaunchSpec, wrapped: boolean): StartedRunner {
  const codeDirectory = realpathSync(spec.codeDirectory);
  // In the system's temporary folder: what a killed server leaves behind goes with the rest of it.
  const home = mkdtempSync(join(realpathSync(tmpdir()), 'runner-'));
  chmodSync(home, 0o700);
  const release = (): void => {
    try {
      rmSync(home, { recursive: true, force: true });
    } catch {
      // A file the function made undeletable; the folder is temporary anyway.
    }
  };
  const node = [process.execPath, ...permissionFlags(program, codeDirectory, home), ...spec.nodeArguments];
  const limited = ['/bin/sh', '-c', limitScript, 'sh', ...node];
  const [file, ...args] = wrapped ? [pdeathsig.file, ...pdeathsig.args, ...limited] : limited;
  try {
    const child = startProcess({ sockets: 1 + spec.threadChannels, strays }, () => ({
      file: file!,
      args,
      cwd: codeDirectory,
      env: runnerEnvironment(home),
    }));
    return { child, codeDirectory, release };
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * Node's permission model: reads the runner's program, the deployment and its temporary folder, writes to the latter,
 * starts threads but no processes.
 */
export function permissionFlags(program: RunnerProgram, codeDirectory: string, home: string): string[] {
  const known = process.allowedNodeEnvironmentFlags;
  const readable = [...program.mounts.map(({ source }) => source), codeDirectory, home];
  return [
    known.has('--permission') ? '--permission' : '--experimental-permission',
    '--allow-worker',
    ...['--allow-addons', '--allow-net', '--allow-wasi'].filter((flag) => known.has(flag)),
    ...[...new Set(readable)].map((path) => `--allow-fs-read=${path}`),
    `--allow-fs-write=${home}`,
    // Node warns about the permission model in every thread that starts; the function's own warnings stay.
    '--disable-warning=SecurityWarning',
    '--disable-warning=ExperimentalWarning',
  ];
}
