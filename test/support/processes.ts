import { readdirSync, readFileSync } from 'node:fs';
import { waitFor } from './wait-for.js';

/** One process that ran at some moment. The start time tells it from a later one with the same id. */
export interface ProcessInfo {
  pid: number;
  parent: number;
  /** Clock ticks since the machine started. */
  startTime: string;
  /** `R`, `S`, … as in proc(5); `Z` is a process that has ended. */
  state: string;
  command: string;
}

/** All processes of this machine; none where there is no /proc (macOS), where the checks that use it are void. */
export function listProcesses(): ProcessInfo[] {
  return numericFolders().flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name in brackets may itself hold brackets and spaces.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return [
        { pid, parent: Number(fields[1]), startTime: fields[19] ?? '', state: fields[0] ?? '', command },
      ];
    } catch {
      return []; // It has ended meanwhile.
    }
  });
}

function numericFolders(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** The children of a process, their children, and so on. */
export function descendants(pid: number): ProcessInfo[] {
  const all = listProcesses();
  const found: ProcessInfo[] = [];
  let parents = new Set([pid]);
  while (parents.size > 0) {
    const children = all.filter((process) => parents.has(process.parent));
    found.push(...children);
    parents = new Set(children.map((child) => child.pid));
  }
  return found;
}

/** Those of `before` that still run, and whatever has `marker` in its command line. */
export function survivors(before: ProcessInfo[], marker: string): ProcessInfo[] {
  const known = new Set(before.map((process) => `${process.pid} ${process.startTime}`));
  return listProcesses().filter(
    (process) =>
      process.state !== 'Z' &&
      process.pid !== globalThis.process.pid &&
      (known.has(`${process.pid} ${process.startTime}`) || process.command.includes(marker)),
  );
}

/** Waits until no process of `before`, and none with `marker` in its command line, runs any more; else throws. */
export async function waitUntilGone(
  before: ProcessInfo[],
  marker: string,
  deadlineMs = 10_000,
): Promise<void> {
  await waitFor(
    'the processes of a server end with it',
    () => {
      const left = survivors(before, marker);
      if (left.length > 0) {
        throw new Error(
          left.map(({ pid, command }) => `${pid} ${command || '(no command line)'}`).join('\n'),
        );
      }
      return true;
    },
    deadlineMs,
  );
}
