import { StartupError } from '../../errors.js';
import type { NetworkPolicy, Sandbox, SandboxLevel } from '../types.js';
import { type LevelOptions, openBubblewrap } from './bubblewrap.js';
import type { Level } from './launch.js';
import { openProcessLevel } from './process.js';
import { defaultInstallRoot } from './program.js';

export interface SandboxChoice {
  /** The setting SANDBOX. */
  wanted: 'auto' | SandboxLevel;
  /** Whether the server listens on a loopback address only. */
  hostIsLoopback: boolean;
  /** Absolute path of the data folder, which must exist. */
  dataDirectory: string;
  /** The network policy runners will be started with. */
  network: NetworkPolicy;
  /** Absolute path of the folder of this package. Default: where this file is. */
  installRoot?: string;
}

/**
 * Finds the level runners are started at: the one that is named, or the strongest that really works here. `notes` are
 * sentences for the log: why a stronger level does not work and what would change that.
 * @throws StartupError when the named level does not work, or when only `process` would and others could reach the
 *   server.
 */
export async function chooseSandbox(choice: SandboxChoice): Promise<{ sandbox: Sandbox; notes: string[] }> {
  const { wanted, hostIsLoopback, dataDirectory, network } = choice;
  const options: LevelOptions = {
    dataDirectory,
    network,
    installRoot: choice.installRoot ?? defaultInstallRoot,
  };
  if (wanted === 'user') {
    throw new StartupError(
      'SANDBOX=user: this version does not have that level yet. Set SANDBOX to auto, bubblewrap or process.',
    );
  }
  if (wanted === 'process') return named('process', () => openProcessLevel(options));
  if (wanted === 'bubblewrap') return named('bubblewrap', () => openBubblewrap(options));
  try {
    return sandboxOf('bubblewrap', await openBubblewrap(options));
  } catch (error) {
    const reason = messageOf(error);
    if (!hostIsLoopback) {
      throw new StartupError(
        `No sandbox that keeps hostile code in works here, and HOST is not a loopback address. ${sentence(reason)} Install bubblewrap, or set SANDBOX=process to start without such a wall.`,
      );
    }
    const { sandbox, notes } = await named('process', () => openProcessLevel(options));
    return { sandbox, notes: [sentence(reason), ...notes] };
  }
}

async function named(level: SandboxLevel, open: () => Promise<Level>) {
  try {
    const { sandbox, notes } = sandboxOf(level, await open());
    return { sandbox, notes: level === 'process' ? [...notes, noWall] : notes };
  } catch (error) {
    throw new StartupError(`SANDBOX=${level} does not work: ${messageOf(error)}.`);
  }
}

const noWall = 'The sandbox level `process` is no wall against hostile code: run only functions you trust.';

function sandboxOf(level: SandboxLevel, { launch, runnerMain, notes }: Level) {
  const sandbox: Sandbox = {
    level,
    start: (spec) => launch({ ...spec, nodeArguments: [runnerMain] }),
  };
  return { sandbox, notes };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
