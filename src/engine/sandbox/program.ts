import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file or folder of this machine, and where the runner finds it. */
export interface Mount {
  source: string;
  target: string;
}

/** What the runner's process runs: its own code and Piscina, nothing else of the server. */
export interface RunnerProgram {
  /** Folder of the server's package. */
  installRoot: string;
  /** The runner's start file on this machine. */
  mainFile: string;
  /** Its files, each where it belongs below `RUNNER_ROOT`. */
  mounts: Mount[];
}

/** Where a sandbox with a file system of its own has the runner's program. */
export const RUNNER_ROOT = '/opt/runner';
/** The runner's start file there. */
export const RUNNER_MAIN = `${RUNNER_ROOT}/dist/runner/main.js`;

/** The package's folder: three levels above this file, in `src/` as in `dist/`. */
export const defaultInstallRoot = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/**
 * Finds the runner's program.
 * @throws Error when a file is missing, saying which.
 */
export function findProgram(installRoot: string): RunnerProgram {
  const piscina = findPackage(installRoot, 'piscina');
  const mounts = [
    ...['package.json', 'dist/runner', 'dist/engine/channel.js'].map((path) => ({
      source: join(installRoot, path),
      target: `${RUNNER_ROOT}/${path}`,
    })),
    { source: piscina, target: `${RUNNER_ROOT}/node_modules/piscina` },
  ];
  for (const mount of mounts) {
    if (!existsSync(mount.source)) throw new Error(`${mount.source} is missing: build the server first`);
    mount.source = realpathSync(mount.source);
  }
  const mainFile = realpathSync(join(installRoot, 'dist/runner/main.js'));
  return { installRoot: realpathSync(installRoot), mainFile, mounts };
}

/** The folder of a package, as Node finds it from `start`. */
function findPackage(start: string, name: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(candidate) || folder === dirname(folder)) return candidate;
  }
}

/** All the environment a runner's process has. `home` is a folder it may write to. */
export function runnerEnvironment(home: string): Record<string, string> {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: home,
    TMPDIR: home,
    LANG: 'C.UTF-8',
    TZ: 'UTC',
  };
}
