import { describe, expect, test } from 'vitest';
import {
  buildFilter,
  type FilterArchitecture,
  hasFilter,
  verdict,
} from '../../../../src/engine/sandbox/seccomp.js';
import {
  checkedSyscalls,
  deniedSyscalls,
  type SyscallNumbers,
} from '../../../../src/engine/sandbox/syscalls.js';

const AUDIT = { x64: 0xc000003e, arm64: 0xc00000b7 };
const COLUMN = { x64: 0, arm64: 1 } as const;

interface Call {
  number: number;
  audit: number;
  args?: bigint[];
}

/** Runs a BPF program as the kernel does, on a `struct seccomp_data`. */
function interpret(program: Buffer, call: Call): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number >>> 0, 0);
  data.writeUInt32LE(call.audit, 4);
  for (const [index, value] of (call.args ?? []).entries()) data.writeBigUInt64LE(value, 16 + 8 * index);
  let accumulator = 0;
  for (let index = 0; ; index += 1) {
    const at = index * 8;
    // readUInt throws beyond the end: a program that runs off it is not valid.
    const code = program.readUInt16LE(at);
    const value = program.readUInt32LE(at + 4);
    const jump = (taken: boolean): void => {
      index += program.readUInt8(at + (taken ? 2 : 3));
    };
    if (code === 0x20) accumulator = data.readUInt32LE(value);
    else if (code === 0x15) jump(accumulator === value);
    else if (code === 0x45) jump((accumulator & value) !== 0);
    else if (code === 0x05) index += value;
    else if (code === 0x06) return value;
    else throw new Error(`unknown instruction ${code}`);
  }
}

describe.each(['x64', 'arm64'] as FilterArchitecture[])('the filter for %s', (arch) => {
  const program = buildFilter(arch);
  const run = (number: number, ...args: bigint[]): number =>
    interpret(program, { number, audit: AUDIT[arch], args });
  const numberOf = (name: keyof typeof checkedSyscalls): number => checkedSyscalls[name][COLUMN[arch]];

  test('is a whole number of instructions, as many as the kernel takes', () => {
    expect(program.length % 8).toBe(0);
    expect(program.length / 8).toBeLessThan(4096);
  });

  test('refuses every denied call', () => {
    for (const [name, numbers] of Object.entries<SyscallNumbers>(deniedSyscalls)) {
      const number = numbers[COLUMN[arch]];
      if (number !== null) expect([name, run(number)]).toEqual([name, verdict.deny]);
    }
  });

  test('allows every other call', () => {
    const named = new Set<number | null>(
      Object.values<SyscallNumbers>({ ...deniedSyscalls, ...checkedSyscalls }).map(
        (numbers) => numbers[COLUMN[arch]],
      ),
    );
    for (let number = 0; number < 600; number += 1) {
      if (!named.has(number)) expect([number, run(number)]).toEqual([number, verdict.allow]);
    }
  });

  test('allows threads and processes, but no clone into a namespace', () => {
    const thread = 0x3d0f00n;
    expect(run(numberOf('clone'), thread)).toBe(verdict.allow);
    for (const flag of [
      0x20000n,
      0x2000000n,
      0x4000000n,
      0x8000000n,
      0x10000000n,
      0x20000000n,
      0x40000000n,
    ]) {
      expect(run(numberOf('clone'), thread | flag)).toBe(verdict.deny);
    }
    expect(run(numberOf('clone3'))).toBe(verdict.notThere);
  });

  test('refuses input into a terminal, whatever the upper half of the command', () => {
    expect(run(numberOf('ioctl'), 0n, 0x5401n)).toBe(verdict.allow);
    for (const command of [0x5412n, 0x541cn, 0x1_0000_5412n]) {
      expect(run(numberOf('ioctl'), 0n, command)).toBe(verdict.deny);
    }
  });

  test('has only the socket families that a namespace separates', () => {
    for (const family of [1n, 2n, 10n, 16n]) expect(run(numberOf('socket'), family)).toBe(verdict.allow);
    for (const family of [0n, 9n, 17n, 38n, 40n]) {
      expect(run(numberOf('socket'), family)).toBe(verdict.noSuchFamily);
    }
  });

  test('ends a process that calls as another architecture does', () => {
    for (const audit of [0x40000003, AUDIT[arch === 'x64' ? 'arm64' : 'x64']]) {
      expect(interpret(program, { number: 0, audit })).toBe(verdict.killProcess);
    }
  });
});

test('the x32 numbers of x86-64 are refused', () => {
  expect(interpret(buildFilter('x64'), { number: 0x40000000, audit: AUDIT.x64 })).toBe(verdict.deny);
});

test('there is a filter for the architectures it was made for', () => {
  expect(['x64', 'arm64', 'riscv64', 'toString'].map(hasFilter)).toEqual([true, true, false, false]);
});
