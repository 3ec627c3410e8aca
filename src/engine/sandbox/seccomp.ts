import { checkedSyscalls, deniedSyscalls, type SyscallNumbers } from './syscalls.js';

/** What the filter answers; errno values are the same on both architectures. */
export const verdict = {
  allow: 0x7fff0000,
  killProcess: 0x80000000,
  /** EPERM */
  deny: 0x00050000 | 1,
  /** ENOSYS: the caller takes the older way. */
  notThere: 0x00050000 | 38,
  /** EAFNOSUPPORT */
  noSuchFamily: 0x00050000 | 97,
} as const;

/** Classic BPF, as in linux/bpf_common.h. */
const LOAD_WORD = 0x20;
const JUMP_ALWAYS = 0x05;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_BITS = 0x45;
const RETURN = 0x06;

/** Offsets in `struct seccomp_data`; of an argument, its lower half. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const argument = (index: number): number => 16 + 8 * index;

const architectures = {
  x64: { audit: 0xc000003e, column: 0 },
  arm64: { audit: 0xc00000b7, column: 1 },
} as const;

/** Set in the number of a system call of the x32 ABI, which has numbers of its own for everything denied here. */
const X32_BIT = 0x40000000;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const NAMESPACE_FLAGS = 0x7e020000;

/** Commands that put input into a terminal: TIOCSTI, TIOCLINUX. */
const TERMINAL_COMMANDS = [0x5412, 0x541c];

/**
 * AF_UNIX, AF_INET, AF_INET6, AF_NETLINK (which getifaddrs uses). Others are not all behind the network namespace:
 * AF_VSOCK reaches the machine's host.
 */
const SOCKET_FAMILIES = [1, 2, 10, 16];

export type FilterArchitecture = keyof typeof architectures;

/** Whether there is a filter for this architecture, as in `process.arch`. */
export function hasFilter(arch: string): arch is FilterArchitecture {
  return Object.hasOwn(architectures, arch);
}

/**
 * The runner's seccomp filter: an array of `struct sock_filter`, as bubblewrap's `--seccomp` takes it. It allows what
 * it does not name; the names and the reasons are in `syscalls.ts`.
 */
export function buildFilter(arch: FilterArchitecture): Buffer {
  const { audit, column } = architectures[arch];
  const program = new Program();
  program.load(ARCHITECTURE);
  program.jump(JUMP_IF_EQUAL, audit, 'native', 'foreign');
  program.label('foreign');
  program.answer(verdict.killProcess);
  program.label('native');
  program.load(NUMBER);
  if (arch === 'x64') program.jump(JUMP_IF_BITS, X32_BIT, 'deny', 'next');
  for (const numbers of Object.values<SyscallNumbers>(deniedSyscalls)) {
    if (numbers[column] !== null) program.jump(JUMP_IF_EQUAL, numbers[column], 'deny', 'next');
  }
  program.jump(JUMP_IF_EQUAL, checkedSyscalls.clone3[column], 'notThere', 'next');
  for (const name of ['clone', 'ioctl', 'socket'] as const) {
    program.jump(JUMP_IF_EQUAL, checkedSyscalls[name][column], name, 'next');
  }
  program.always('allow');

  program.label('clone');
  program.load(argument(0));
  program.jump(JUMP_IF_BITS, NAMESPACE_FLAGS, 'deny', 'allow');
  program.label('ioctl');
  program.load(argument(1));
  for (const command of TERMINAL_COMMANDS) program.jump(JUMP_IF_EQUAL, command, 'deny', 'next');
  program.always('allow');
  program.label('socket');
  program.load(argument(0));
  for (const family of SOCKET_FAMILIES) program.jump(JUMP_IF_EQUAL, family, 'allow', 'next');
  program.answer(verdict.noSuchFamily);

  for (const end of ['deny', 'notThere', 'allow'] as const) {
    program.label(end);
    program.answer(verdict[end]);
  }
  return program.assemble();
}

interface Instruction {
  code: number;
  value: number;
  /** Labels; `next` is the following instruction. */
  then: string;
  otherwise: string;
}

/** A BPF program whose jumps go to labels. */
class Program {
  readonly #instructions: Instruction[] = [];
  readonly #labels = new Map<string, number>();

  label(name: string): void {
    this.#labels.set(name, this.#instructions.length);
  }

  load(offset: number): void {
    this.#add(LOAD_WORD, offset);
  }

  answer(value: number): void {
    this.#add(RETURN, value);
  }

  jump(code: number, value: number, then: string, otherwise: string): void {
    this.#add(code, value, then, otherwise);
  }

  always(label: string): void {
    this.#add(JUMP_ALWAYS, 0, label);
  }

  assemble(): Buffer {
    const bytes = Buffer.alloc(this.#instructions.length * 8);
    this.#instructions.forEach(({ code, value, then, otherwise }, index) => {
      const always = code === JUMP_ALWAYS;
      bytes.writeUInt16LE(code, index * 8);
      bytes.writeUInt8(always ? 0 : this.#distance(index, then), index * 8 + 2);
      bytes.writeUInt8(this.#distance(index, otherwise), index * 8 + 3);
      bytes.writeUInt32LE(always ? this.#distance(index, then) : value, index * 8 + 4);
    });
    return bytes;
  }

  #add(code: number, value: number, then = 'next', otherwise = 'next'): void {
    this.#instructions.push({ code, value, then, otherwise });
  }

  /** writeUInt8 throws on a distance that a conditional jump cannot have. */
  #distance(from: number, label: string): number {
    if (label === 'next') return 0;
    const target = this.#labels.get(label);
    if (target === undefined) throw new Error(`no label ${label}`);
    return target - from - 1;
  }
}
