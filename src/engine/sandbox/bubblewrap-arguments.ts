import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import type { NetworkPolicy } from '../types.js';
import { type Mount, runnerEnvironment } from './program.js';

/** Where the runner finds the deployment's files. */
export const CODE_DIRECTORY = '/function';
/** Room in the runner's private /tmp, bytes. */
export const TMP_BYTES = 64 * 1024 * 1024;
/** Its user and group id as the runner sees them. */
const INNER_ID = '1000';

const devices = ['null', 'zero', 'full', 'random', 'urandom'];

/** What `fetch` and DNS read under `egress`. */
const networkFiles = [
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/nsswitch.conf',
  '/etc/ssl/certs',
  '/etc/pki/tls/certs',
];

export interface SandboxPlan {
  /** Absolute path of Node in the sandbox. */
  node: string;
  nodeArguments: readonly string[];
  network: NetworkPolicy;
  /** A /proc of its own, where the kernel lets us mount one; else none. */
  ownProc: boolean;
  /** Read-only, beside the system's files: the runner's program, the deployment, Node if it is not below /usr. */
  mounts: readonly Mount[];
  /** The top-level links and folders of `systemLayout`. */
  layout: readonly string[];
  /** Folders below /usr that are covered by an empty one. */
  masked: readonly string[];
  /** Inherited descriptor the seccomp filter is read from, if there is one. */
  filterDescriptor: number | null;
  /** Inherited descriptors to be closed; reading them must give nothing. */
  closed: readonly number[];
}

/** bubblewrap's command line, without the program's own name. */
export function bubblewrapArguments(plan: SandboxPlan): string[] {
  const environment = Object.entries(runnerEnvironment('/tmp'));
  return [
    // bubblewrap closes what it has read more arguments from.
    ...plan.closed.flatMap((descriptor) => ['--args', `${descriptor}`]),
    ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(plan.network === 'none' ? ['--unshare-net'] : []),
    ...['--uid', INNER_ID, '--gid', INNER_ID, '--hostname', 'runner'],
    ...['--cap-drop', 'ALL', '--new-session', '--die-with-parent', '--clearenv'],
    ...environment.flatMap(([name, value]) => ['--setenv', name, value]),
    ...(plan.filterDescriptor === null ? [] : ['--seccomp', `${plan.filterDescriptor}`]),
    ...['--ro-bind', '/usr', '/usr', ...plan.layout],
    ...plan.masked.flatMap((path) => ['--tmpfs', path, '--remount-ro', path]),
    ...['--size', '65536', '--tmpfs', '/dev'],
    ...devices.flatMap((name) => ['--dev-bind', `/dev/${name}`, `/dev/${name}`]),
    ...['--remount-ro', '/dev'],
    ...['--size', `${TMP_BYTES}`, '--perms', '0700', '--tmpfs', '/tmp'],
    ...(plan.ownProc ? ['--proc', '/proc'] : []),
    ...plan.mounts.flatMap(({ source, target }) => ['--ro-bind', source, target]),
    // Last: until here the root is where mount points are made.
    ...['--remount-ro', '/', '--chdir', CODE_DIRECTORY],
    ...['--', plan.node, ...plan.nodeArguments],
  ];
}

/** Arguments for what stands beside /usr: links into it, or folders, as this machine has them. */
export function systemLayout(): string[] {
  return ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'].flatMap((path) => {
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status?.isSymbolicLink()) return ['--symlink', readlinkSync(path), path];
    return status?.isDirectory() ? ['--ro-bind', path, path] : [];
  });
}

/** The machine's own files that a runner with network needs. */
export function networkMounts(): Mount[] {
  return networkFiles
    .filter((path) => existsSync(path))
    .map((path) => ({ source: realpathSync(path), target: path }));
}

/**
 * Which of these folders lie below /usr and hold nothing the runner needs: a server that is installed there, or has
 * its data there, must not show them.
 */
export function foldersToMask(folders: readonly string[], node: string): string[] {
  const needed = [node, '/usr/bin', '/usr/lib', '/usr/share', '/usr/local/bin', '/usr/local/lib'];
  const candidates = folders
    .filter((folder) => existsSync(folder))
    .map((folder) => realpathSync(folder))
    .filter((folder) => isWithin(folder, '/usr') && !needed.some((path) => isWithin(path, folder)));
  return [...new Set(candidates)].filter(
    (folder) => !candidates.some((other) => other !== folder && isWithin(folder, other)),
  );
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
