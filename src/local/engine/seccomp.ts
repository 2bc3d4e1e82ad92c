/**
 * Seccomp filters as classic BPF programs, in the byte form that `bwrap --seccomp FD` loads.
 * They deny by list: a listed call gets EPERM, a call of a foreign architecture kills the process.
 */
import { type Architecture, type SyscallTable, syscallTable } from "./syscalls.ts";

const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_OR_EQUAL = 0x35;
const JUMP_BITS_SET = 0x45;
const RETURN = 0x06;

const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const ERRNO = 0x00050000;
const EPERM = ERRNO | 1;
const ENOSYS = ERRNO | 38;

/** Offsets in `struct seccomp_data`; the low halves of the arguments, on little-endian machines. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const ARGUMENT_0 = 16;
const ARGUMENT_1 = 24;

/** Calls numbered from here belong to the x32 ABI, which shares x86-64's architecture word. */
const X32_BASE = 0x40000000;
const CLONE_NEWUSER = 0x10000000;
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;

type Instruction = [code: number, ifTrue: number, ifFalse: number, value: number];

const load = (offset: number): Instruction => [LOAD_WORD, 0, 0, offset];
const answer = (value: number): Instruction => [RETURN, 0, 0, value];

/** The instructions after the jump are skipped unless the loaded word is `value`. */
const whenEqual = (value: number, then: Instruction[]): Instruction[] => [
  [JUMP_EQUAL, 0, then.length, value],
  ...then,
];

function denyTerminalInjection(table: SyscallTable): Instruction[] {
  return whenEqual(table.ioctl, [
    load(ARGUMENT_1),
    [JUMP_EQUAL, 1, 0, TIOCSTI],
    [JUMP_EQUAL, 0, 1, TIOCLINUX],
    answer(EPERM),
    answer(ALLOW),
  ]);
}

function denyNewUserNamespace(call: number): Instruction[] {
  return whenEqual(call, [
    load(ARGUMENT_0),
    [JUMP_BITS_SET, 0, 1, CLONE_NEWUSER],
    answer(EPERM),
    answer(ALLOW),
  ]);
}

function assemble(architecture: Architecture, rules: Instruction[]): Buffer {
  const x32: Instruction[] =
    architecture === "x64" ? [[JUMP_GREATER_OR_EQUAL, 0, 1, X32_BASE], answer(KILL_PROCESS)] : [];
  const program: Instruction[] = [
    load(ARCHITECTURE),
    [JUMP_EQUAL, 1, 0, syscallTable(architecture).audit],
    answer(KILL_PROCESS),
    load(NUMBER),
    ...x32,
    ...rules,
    answer(ALLOW),
  ];
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return bytes;
}

function hostRules(table: SyscallTable): Instruction[] {
  return [
    ...table.host.flatMap((call) => whenEqual(call, [answer(EPERM)])),
    ...denyTerminalInjection(table),
  ];
}

/** The architecture of this machine, or undefined when no filter is known for it. */
export function filterArchitecture(machine: string): Architecture | undefined {
  return machine === "x64" || machine === "arm64" ? machine : undefined;
}

/**
 * The filter of a whole sandbox. It leaves mounts and namespaces alone, because the supervisor
 * builds the agent's nested sandbox with them.
 */
export function outerSeccompFilter(architecture: Architecture): Buffer {
  return assemble(architecture, hostRules(syscallTable(architecture)));
}

/**
 * The filter of the agent inside the sandbox: also no mounts and no further user namespaces.
 * `clone3` answers ENOSYS because its flags lie in memory that a filter cannot read; the C
 * libraries then fall back to `clone`.
 */
export function innerSeccompFilter(architecture: Architecture): Buffer {
  const table = syscallTable(architecture);
  return assemble(architecture, [
    ...hostRules(table),
    ...table.namespaces.flatMap((call) => whenEqual(call, [answer(EPERM)])),
    ...denyNewUserNamespace(table.clone),
    ...denyNewUserNamespace(table.unshare),
    ...whenEqual(table.clone3, [answer(ENOSYS)]),
  ]);
}
