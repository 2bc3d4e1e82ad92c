/**
 * Who is on the other end of a loopback TCP connection.
 *
 * The runtime reaches a sandbox through a TCP port on 127.0.0.1, which every user of the machine can
 * connect to; the front and control ports behind it trust what comes that way. So only connections
 * of this process's own user pass. Fails closed: an owner that cannot be found is refused.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { within } from "../deadline.ts";
import { eachLine } from "../log-lines.ts";

const DEADLINE = 2_000;
const PROGRAM = fileURLToPath(new URL("peer-lookup.py", import.meta.url));
const LOOPBACK = "0100007F";
/** A socket that its process has closed is listed under user 0, whoever it belonged to. */
const ESTABLISHED = "01";

export type Peers = {
  /** Whether the client of `socket` runs as this process's user. */
  isOwn(socket: Socket): Promise<boolean>;
  close(): void;
};

/** The owner of the connection `client → server`, from the text of /proc/net/tcp. */
export function ownerIn(table: string, client: number, server: number): number | undefined {
  const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, "0");
  const local = `${LOOPBACK}:${hex(client)}`;
  const remote = `${LOOPBACK}:${hex(server)}`;
  for (const row of table.split("\n")) {
    const columns = row.trim().split(/\s+/);
    if (columns[1] === local && columns[2] === remote && columns[3] === ESTABLISHED) {
      return Number(columns[7]);
    }
  }
  return undefined;
}

async function ownerFromTable(client: number, server: number): Promise<number | undefined> {
  return ownerIn(await readFile("/proc/net/tcp", "latin1"), client, server);
}

type Lookup = (client: number, server: number) => Promise<number | undefined>;

/** Questions to the lookup program are answered in order. */
function askProgram(child: ChildProcess): Lookup {
  const waiting: ((owner: number | undefined) => void)[] = [];
  const stop = (): void => {
    for (const answer of waiting.splice(0)) answer(undefined);
  };
  child.once("exit", stop).once("error", stop);
  child.stdin?.on("error", stop);
  if (child.stdout !== null) {
    eachLine(child.stdout, (line) =>
      waiting.shift()?.(/^\d+$/.test(line) ? Number(line) : undefined),
    );
  }
  return (client, server) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      child.stdin?.write(`${client} ${server}\n`);
    });
}

/** `python` is the interpreter's path; without one every lookup reads the whole table. */
export function createPeers(python: string | undefined): Peers {
  const own = process.getuid?.();
  let child: ChildProcess | undefined;
  let lookup: Lookup = ownerFromTable;
  if (python !== undefined) {
    child = spawn(python, ["-I", "-S", PROGRAM], {
      stdio: ["pipe", "pipe", "ignore"],
      env: {},
    });
    const ask = askProgram(child);
    const fallBack = (): void => {
      lookup = ownerFromTable;
    };
    child.once("exit", fallBack).once("error", fallBack);
    child.unref();
    lookup = ask;
  }
  return {
    async isOwn(socket) {
      const { remotePort, localPort } = socket;
      if (remotePort === undefined || localPort === undefined || own === undefined) return false;
      const owner = within(lookup(remotePort, localPort), DEADLINE, "the peer lookup");
      return (await owner.catch(() => undefined)) === own;
    },
    close() {
      child?.kill("SIGKILL");
    },
  };
}
