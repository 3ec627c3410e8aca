import { existsSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import type { Mount } from './program.js';

/** Folders every Linux has and a start can hide for a moment behind a file system of its own. */
const stagePlaces = ['/mnt', '/media', '/srv', '/opt', '/boot', '/home'];

/** May go through it / may read and list it, as somebody who is neither the owner nor in the group. */
const OTHERS_SEARCH = 0o001;
const OTHERS_READ = 0o004;

/** The folders on the way to `path` (a real path) that a user without any rights of its own may not pass. */
export function blockingFolders(path: string): string[] {
  const blocking: string[] = [];
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & OTHERS_SEARCH) === 0) blocking.unshift(folder);
    if (folder === dirname(folder)) return blocking;
  }
}

/** Whether a user without any rights of its own may use what is at `path`, once it gets there. */
export function isOpen(path: string): boolean {
  const status = statSync(path);
  const wanted = status.isDirectory() ? OTHERS_READ | OTHERS_SEARCH : OTHERS_READ;
  return (status.mode & wanted) === wanted;
}

/** Mounts with the sources moved to where they can be reached, and what has to be done before. */
export interface Staged {
  mounts: Mount[];
  /** Folder in which the sources are put; null when all can be reached where they are. */
  place: string | null;
  /** What to put there, under its number: of each source the part of its path below the last closed folder. */
  sources: string[];
}

/**
 * Looks which sources an unprivileged user could not reach (below a home folder, a `mktemp -d`), and gives those a
 * path in a file system that exists only for the process that starts.
 * @throws Error when there is no folder to put it over.
 */
export function stage(mounts: readonly Mount[]): Staged {
  const closed = new Map(mounts.map((mount) => [mount, blockingFolders(mount.source).at(-1)]));
  if ([...closed.values()].every((folder) => folder === undefined)) {
    return { mounts: [...mounts], place: null, sources: [] };
  }
  const place = stagePlaces.find((folder) => isUsable(folder, mounts));
  if (place === undefined) throw new Error(`none of ${stagePlaces.join(', ')} can be used to start a runner`);
  const sources: string[] = [];
  const moved = mounts.map((mount) => {
    const folder = closed.get(mount);
    if (folder === undefined) return mount;
    const [name, ...rest] = relative(folder, mount.source).split(sep);
    const source = join(folder, name!);
    if (!sources.includes(source)) sources.push(source);
    return { source: join(place, `${sources.indexOf(source)}`, ...rest), target: mount.target };
  });
  return { mounts: moved, place, sources };
}

function isUsable(folder: string, mounts: readonly Mount[]): boolean {
  if (!existsSync(folder) || !lstatSync(folder).isDirectory() || realpathSync(folder) !== folder)
    return false;
  return !mounts.some(({ source }) => source === folder || source.startsWith(`${folder}/`));
}

/**
 * Runs as root in a mount namespace of its own. $1 is the place, $2 the id to change to, then come the sources, `--`,
 * and the command. Everything is executed in place, so the process id stays.
 */
const stageScript = `set -e
place=$1 id=$2
shift 2
mount -t tmpfs -o mode=0711,size=64k tmpfs "$place"
number=0
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mkdir "$place/$number"; else : > "$place/$number"; fi
  mount --bind -o ro "$1" "$place/$number"
  number=$((number + 1))
  shift
done
shift
exec setpriv --reuid "$id" --regid "$id" --clear-groups -- "$@"`;

/** The command that puts the sources in their place, becomes the user `uid` without groups, and runs `command`. */
export function stagedCommand(
  staged: { place: string; sources: readonly string[] },
  uid: number,
  command: readonly string[],
): { file: string; args: string[] } {
  return {
    file: '/usr/bin/unshare',
    args: [
      ...['--mount', '--propagation', 'private', '--', '/bin/sh', '-c', stageScript, 'sh'],
      ...[staged.place, `${uid}`, ...staged.sources, '--', ...command],
    ],
  };
}
