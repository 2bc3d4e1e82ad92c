import { describe, expect, it } from "vitest";
import { filterArchitecture, innerSeccompFilter, outerSeccompFilter } from "./seccomp.ts";
import { type Architecture, syscallTable } from "./syscalls.ts";

const VERDICTS = new Map([
  [0x7fff0000, "allow"],
  [0x80000000, "kill"],
  [0x00050001, "EPERM"],
  [0x00050026, "ENOSYS"],
]);

/** Runs a filter as the kernel does: classic BPF over `struct seccomp_data`. */
function verdict(filter: Buffer, audit: number, call: number, args: number[] = []): string {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call, 0);
  data.writeUInt32LE(audit, 4);
  for (const [index, value] of args.entries()) data.writeUInt32LE(value, 16 + index * 8);
  let word = 0;
  for (let at = 0; at < filter.length; at += 8) {
    const [code, ifTrue, ifFalse] = [
      filter.readUInt16LE(at),
      filter.readUInt8(at + 2),
      filter.readUInt8(at + 3),
    ];
    const value = filter.readUInt32LE(at + 4);
    if (code === 0x06) return VERDICTS.get(value) ?? `unknown ${value}`;
    if (code === 0x20) word = data.readUInt32LE(value);
    else {
      const holds =
        code === 0x15 ? word === value : code === 0x35 ? word >= value : (word & value) !== 0;
      at += 8 * (holds ? ifTrue : ifFalse);
    }
  }
  return "fell off the end";
}

const CLONE_NEWUSER = 0x10000000;
const AUDIT_I386 = 0x40000003;
/** read, openat, execve, ptrace: what every program may do. */
const ORDINARY = { x64: [0, 257, 59, 101], arm64: [63, 56, 221, 117] };

describe.for<Architecture>(["x64", "arm64"])("on %s", (architecture) => {
  const table = syscallTable(architecture);
  const outer = outerSeccompFilter(architecture);
  const inner = innerSeccompFilter(architecture);

  it("kills a call of a foreign architecture", () => {
    expect(verdict(outer, AUDIT_I386, 0)).toBe("kill");
    expect(verdict(inner, AUDIT_I386, 0)).toBe("kill");
  });

  it("allows ordinary calls in both", () => {
    for (const call of ORDINARY[architecture]) {
      expect([verdict(outer, table.audit, call), verdict(inner, table.audit, call)]).toEqual([
        "allow",
        "allow",
      ]);
    }
  });

  it("denies the host's calls in both", () => {
    for (const call of table.host) {
      expect([verdict(outer, table.audit, call), verdict(inner, table.audit, call)]).toEqual([
        "EPERM",
        "EPERM",
      ]);
    }
  });

  it("lets only the supervisor build mounts and namespaces", () => {
    for (const call of table.namespaces) {
      expect([verdict(outer, table.audit, call), verdict(inner, table.audit, call)]).toEqual([
        "allow",
        "EPERM",
      ]);
    }
    for (const call of [table.clone, table.unshare]) {
      expect(verdict(outer, table.audit, call, [CLONE_NEWUSER])).toBe("allow");
      expect(verdict(inner, table.audit, call, [CLONE_NEWUSER])).toBe("EPERM");
      expect(verdict(inner, table.audit, call, [0x11])).toBe("allow");
    }
    expect(verdict(outer, table.audit, table.clone3)).toBe("allow");
    expect(verdict(inner, table.audit, table.clone3)).toBe("ENOSYS");
  });

  it("denies typing into a terminal", () => {
    expect(verdict(outer, table.audit, table.ioctl, [0, 0x5412])).toBe("EPERM");
    expect(verdict(outer, table.audit, table.ioctl, [0, 0x541c])).toBe("EPERM");
    expect(verdict(outer, table.audit, table.ioctl, [0, 0x5413])).toBe("allow");
  });
});

it("kills calls of the x32 ABI", () => {
  const { audit } = syscallTable("x64");
  expect(verdict(outerSeccompFilter("x64"), audit, 0x40000000 + 321)).toBe("kill");
});

it("knows no filter for other machines", () => {
  expect(filterArchitecture("riscv64")).toBeUndefined();
});
