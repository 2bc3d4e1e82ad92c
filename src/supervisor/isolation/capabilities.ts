import { readFileSync } from "node:fs";

/** capabilities(7): bit numbers in the kernel's sets. */
const CAP_CHOWN = 0;
const CAP_KILL = 5;
const CAP_SETGID = 6;
const CAP_SETUID = 7;

/** True when this process may become another user and still look after what that user owns. */
export function maySwitchUser(status: string, uidMap: string, uid: number): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (effective === undefined) return false;
  const set = BigInt(`0x${effective}`);
  const has = (bit: number) => (set & (1n << BigInt(bit))) !== 0n;
  return [CAP_CHOWN, CAP_KILL, CAP_SETGID, CAP_SETUID].every(has) && isMapped(uidMap, uid);
}

/** user_namespaces(7): lines of `inside outside length`. */
function isMapped(uidMap: string, uid: number): boolean {
  return uidMap.split("\n").some((line) => {
    const [inside, , length] = line.trim().split(/\s+/).map(Number);
    if (inside === undefined || length === undefined) return false;
    return uid >= inside && uid < inside + length;
  });
}

export function readOwnCapabilities(): { status: string; uidMap: string } {
  try {
    return {
      status: readFileSync("/proc/self/status", "utf8"),
      uidMap: readFileSync("/proc/self/uid_map", "utf8"),
    };
  } catch {
    return { status: "", uidMap: "" };
  }
}
