import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Level } from '../../src/engine/sandbox/launch.js';
import { hasFilter } from '../../src/engine/sandbox/seccomp.js';
import { checkedSyscalls, deniedSyscalls, type SyscallNumbers } from '../../src/engine/sandbox/syscalls.js';
import { hasBubblewrap, missing } from '../support/requirements.js';
import { makeWorld, openLevel, runInside, type World } from './world.js';

const column = process.arch === 'arm64' ? 1 : 0;
const hasPerl = spawnSync('/usr/bin/perl', ['-e', '1']).status === 0;
const unavailable =
  missing('bubblewrap', hasBubblewrap()) || missing('perl', hasPerl) || !hasFilter(process.arch);

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

describe.skipIf(unavailable)('system calls: bubblewrap', () => {
  let world: World;
  let level: Level;
  beforeAll(async () => {
    world = makeWorld();
    level = await openLevel('bubblewrap', world);
  });
  afterAll(() => world.remove());

  /** Makes each call (number, arguments) inside and gives their errno, 0 where it went through. */
  async function errnos(calls: number[][]): Promise<number[]> {
    const program = `
      const perl = 'for (@ARGV) { my @c = map { $_ + 0 } split /,/; $! = 0; my $r = syscall($c[0], @c[1..$#c]); print $r == -1 ? $! + 0 : 0, "\\n" }';
      const calls = ${JSON.stringify(calls.map((call) => call.join(',')))};
      answer(require('node:child_process').execFileSync('/usr/bin/perl', ['-e', perl, ...calls], { encoding: 'utf8' }));`;
    const text = (await runInside(level, program, { codeDirectory: world.code })) as string;
    return text.trim().split('\n').map(Number);
  }

  const denied = Object.entries<SyscallNumbers>(deniedSyscalls).flatMap(([name, numbers]) => {
    const number = numbers[column];
    return number === null ? [] : [{ name, number }];
  });

  test('every denied call is refused', async () => {
    const results = await errnos(denied.map(({ number }) => [number, 0, 0, 0, 0, 0, 0]));
    expect(denied.map(({ name }, index) => [name, results[index]])).toEqual(
      denied.map(({ name }) => [name, EPERM]),
    );
  });

  test('calls whose arguments decide', async () => {
    const number = (name: keyof typeof checkedSyscalls): number => checkedSyscalls[name][column];
    const newUser = 0x10000000 + 17;
    expect(
      await errnos([
        [number('clone'), newUser, 0, 0, 0, 0],
        [number('clone3'), 0, 0],
        [number('ioctl'), 0, 0x5412, 0],
        // The upper half of the argument does not hide the command.
        [number('ioctl'), 0, 0x100005412, 0],
        [number('socket'), 1, 1, 0],
        [number('socket'), 2, 1, 0],
        // AF_PACKET, AF_ALG, AF_VSOCK
        ...[17, 38, 40].map((family) => [number('socket'), family, 1, 0]),
      ]),
    ).toEqual([EPERM, ENOSYS, EPERM, EPERM, 0, 0, EAFNOSUPPORT, EAFNOSUPPORT, EAFNOSUPPORT]);
  });

  test('no new user namespace, by any tool of the machine', async () => {
    const program = `
      const { status, stderr } = require('node:child_process').spawnSync('/usr/bin/unshare', ['--user', '--map-root-user', '/bin/true'], { encoding: 'utf8' });
      answer([status, stderr]);`;
    expect(await runInside(level, program, { codeDirectory: world.code })).toEqual([
      1,
      expect.stringContaining('Operation not permitted'),
    ]);
  });
});
