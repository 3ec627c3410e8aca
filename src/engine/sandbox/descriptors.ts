import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';

const CLOSE_ON_EXEC = 0o2000000;

/**
 * Descriptors above 2 that this process inherited from whoever started it and that every child would inherit too.
 * (Node closes its own on exec, but of inherited ones only those below the first gap after 15.) Empty where there
 * is no /proc.
 */
export function strayDescriptors(): number[] {
  let names: string[];
  try {
    names = readdirSync('/proc/self/fdinfo');
  } catch {
    return [];
  }
  return names
    .map(Number)
    .filter((descriptor) => descriptor > 2 && isInherited(descriptor))
    .sort((a, b) => a - b);
}

function isInherited(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'));
    return flags !== null && (Number.parseInt(flags[1]!, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    return false; // Closed meanwhile: the one that read the folder.
  }
}

/**
 * `stdio` extended so that /dev/null takes the place of the stray descriptors in the child. Calls `spawn` with it and
 * with those that were covered.
 */
export function withStrayDescriptorsCovered<T>(
  stdio: readonly ('ignore' | 'pipe')[],
  strays: readonly number[],
  spawn: (stdio: ('ignore' | 'pipe' | number)[], covered: number[]) => T,
): T {
  const covered = strays.filter((descriptor) => descriptor >= stdio.length);
  if (covered.length === 0) return spawn([...stdio], covered);
  const nothing = openSync('/dev/null', 'r');
  try {
    const all: ('ignore' | 'pipe' | number)[] = [...stdio];
    while (all.length <= covered.at(-1)!) all.push('ignore');
    for (const descriptor of covered) all[descriptor] = nothing;
    return spawn(all, covered);
  } finally {
    closeSync(nothing);
  }
}
