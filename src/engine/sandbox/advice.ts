import { existsSync, readFileSync } from 'node:fs';

/** Settings of kernels and distributions that forbid user namespaces, and the value that does. */
const kernelSettings = [
  { name: 'kernel.unprivileged_userns_clone', forbids: '0', change: 'kernel.unprivileged_userns_clone=1' },
  {
    name: 'kernel.apparmor_restrict_unprivileged_userns',
    forbids: '1',
    change: 'kernel.apparmor_restrict_unprivileged_userns=0',
  },
  { name: 'user.max_user_namespaces', forbids: '0', change: 'user.max_user_namespaces=10000' },
];

export interface Circumstances {
  asRoot: boolean;
  /** Folders that runners' own users may not pass. */
  blocked: readonly string[];
  /** Files and folders of the runner's program that others may not read. */
  closed: readonly string[];
}

/**
 * A sentence that says why bubblewrap does not work here, from what it printed, and the one thing that would change
 * it. `readSetting` gives a kernel setting's value, or null.
 */
export function whyBubblewrapFails(
  output: string,
  circumstances: Circumstances,
  readSetting: (name: string) => string | null = readKernelSetting,
): string {
  const said = `bubblewrap does not work here (${lastLine(output)})`;
  if (/unknown option/i.test(output)) return `${said}: version 0.7.0 or later is needed, with --size`;
  const asRoot = `${said}: a server that runs as root needs its capabilities and the ids of its runners; running it as another user would change that`;
  // The process could not even become the runner's user.
  if (circumstances.asRoot && output.startsWith('spawn ')) return asRoot;
  for (const { name, forbids, change } of kernelSettings) {
    if (readSetting(name) === forbids) return `${said}: \`sysctl -w ${change}\` as root would change that`;
  }
  if (circumstances.closed.length > 0) {
    const files = circumstances.closed.join(' ');
    return `${said}: every runner has a user of its own, which may not read ${files}; \`chmod -R o+rX ${files}\` would change that`;
  }
  if (circumstances.blocked.length > 0) {
    const folders = circumstances.blocked.join(' ');
    return `${said}: every runner has a user of its own, which may not pass ${folders}; \`chmod o+x ${folders}\`, or running the server as another user than root, would change that`;
  }
  if (inContainer()) {
    return `${said}: the container must allow user namespaces, with \`--security-opt seccomp=docker/seccomp.json --security-opt apparmor=unconfined\` (see docker/README.md)`;
  }
  if (circumstances.asRoot) return asRoot;
  return `${said}: the kernel must allow user namespaces to users without privileges`;
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1)?.trim() || 'it said nothing';
}

function readKernelSetting(name: string): string | null {
  try {
    return readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').trim();
  } catch {
    return null;
  }
}

function inContainer(): boolean {
  return existsSync('/.dockerenv') || existsSync('/run/.containerenv');
}
