import { spawnSync } from 'node:child_process';

/** Whether bubblewrap can make a sandbox here. */
export function hasBubblewrap(): boolean {
  const args = ['--unshare-all', '--ro-bind', '/', '/', 'true'];
  return succeeds('bwrap', args);
}

/** Whether a Docker engine answers. */
export function hasDocker(): boolean {
  return succeeds('docker', ['version', '--format', '{{.Server.Version}}']);
}

/** The command of Docker Compose: `docker compose`, else `docker-compose`; undefined where there is neither. */
export function composeCommand(): string[] | undefined {
  if (succeeds('docker', ['compose', 'version'])) return ['docker', 'compose'];
  if (succeeds('docker-compose', ['version'])) return ['docker-compose'];
  return undefined;
}

/**
 * For `describe.skipIf(missing('bubblewrap', hasBubblewrap()))`: says in one line that tests are left out.
 * Where CI=true the run then fails as a whole.
 */
export function missing(what: string, available: boolean): boolean {
  if (!available) process.stderr.write(`skipped: tests that need ${what}, which is not to be had here\n`);
  return !available;
}

function succeeds(command: string, args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 60_000 }).status === 0;
}
