/**
 * The network of one sandbox, seen from the engine: a namespace whose only traffic is captured.
 *
 * Routing does the containment. TCP to ports 80 and 443 of any address is delivered locally, to
 * sockets the engine holds; every other port and protocol has no route. Fails closed: the sandbox's
 * program starts only after all of this is in place.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { Socket as DatagramSocket } from "node:dgram";
import { Server, Socket } from "node:net";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { within } from "../deadline.ts";
import { SANDBOX_ADDRESS } from "../image.ts";
import type { Egress } from "../network/egress.ts";
import { type Host, TOOL_ENVIRONMENT } from "./host.ts";

const HELPER = fileURLToPath(new URL("network-helper.mjs", import.meta.url));
const READY_DEADLINE = 20_000;
const DIAL_DEADLINE = 10_000;

/**
 * The local table takes any address, so that the kernel lets a socket answer as any of them; rules
 * send only the two captured ports there. Table 99 holds what is really local.
 */
const IPV4_ROUTES = `
link set lo up
addr add ${SANDBOX_ADDRESS}/32 dev lo
route add local 127.0.0.0/8 dev lo table 99 src 127.0.0.1
route add local ${SANDBOX_ADDRESS}/32 dev lo table 99 src ${SANDBOX_ADDRESS}
rule add pref 10 ipproto tcp dport 80 lookup local
rule add pref 11 ipproto tcp dport 443 lookup local
rule add pref 12 lookup 99
rule del pref 0
route add local default dev lo table local src ${SANDBOX_ADDRESS}
`;
const IPV6_ROUTES = `
route add local default dev lo table 99
rule add pref 10 ipproto tcp dport 80 lookup 99
rule add pref 11 ipproto tcp dport 443 lookup 99
`;
/** A host without IPv6 has nothing to capture there. */
const SETUP = `
set -e
ip=$1
shift
$ip -batch - <<'END'
${IPV4_ROUTES.trim()}
END
$ip -6 -batch - 2>/dev/null <<'END' || true
${IPV6_ROUTES.trim()}
END
exec "$@"
`;
/** Of the namespace's powers the helper keeps the one that opens ports below 1024. */
const DROP_POWERS = [
  "--no-new-privs",
  "--bounding-set=-all,+net_bind_service",
  "--inh-caps=-all",
  "--ambient-caps=-all",
  "--",
];

const helperMessage = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("capture"), port: z.number() }),
  z.object({ kind: z.literal("names-tcp") }),
  z.object({ kind: z.literal("names-udp") }),
  z.object({ kind: z.literal("ready") }),
  z.object({ kind: z.literal("failed"), reason: z.string() }),
  z.object({ kind: z.literal("dialled"), id: z.number() }),
  z.object({ kind: z.literal("refused"), id: z.number(), reason: z.string() }),
]);

export type NetworkNamespace = {
  dial(port: number): Promise<Socket>;
  close(): void;
};

export type NetworkOptions = {
  /** Host process id of a process in the namespaces. */
  target: number;
  egress: Egress;
  host: Host;
  /** The address that connections from outside go to. */
  ingressAddress: string;
};

/** An IPv4 address as it was asked for, without the IPv6 notation of a dual-stack socket. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

function isSandboxItself(address: string): boolean {
  return address.startsWith("127.") || address === "::1" || address === SANDBOX_ADDRESS;
}

function captureFrom(server: Server, port: number, egress: Egress): void {
  server.on("connection", (socket: Socket) => {
    const address = plainAddress(socket.localAddress ?? "");
    // Nothing of the sandbox listens there: the answer is what the kernel would have said.
    if (address === "" || isSandboxItself(address)) return void socket.resetAndDestroy();
    socket.allowHalfOpen = true;
    egress.accept(socket, { address, port });
  });
}

function answerOver(socket: DatagramSocket, egress: Egress): void {
  socket.on("message", (query, from) => {
    void egress.resolve(query).then((answer) => {
      if (answer !== undefined) socket.send(answer, from.port, from.address, () => {});
    });
  });
  socket.on("error", () => {});
}

/** DNS over TCP puts a length before each message (RFC 1035 §4.2.2). */
function answerStreams(server: Server, egress: Egress): void {
  server.on("connection", (socket: Socket) => {
    let rest = Buffer.alloc(0);
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const query = rest.subarray(2, 2 + rest.readUInt16BE(0));
        rest = rest.subarray(2 + query.length);
        void egress.resolve(query).then((answer) => {
          if (answer === undefined) return void socket.destroy();
          const length = Buffer.alloc(2);
          length.writeUInt16BE(answer.length);
          socket.write(Buffer.concat([length, answer]));
        });
      }
    });
  });
}

type Pending = { resolve: (socket: Socket) => void; reject: (error: Error) => void };

export async function openNetworkNamespace(options: NetworkOptions): Promise<NetworkNamespace> {
  const { egress, host } = options;
  const { ip, nsenter, setpriv } = host.tools;
  const command = [
    ...host.closingDescriptors,
    ...host.asOwner,
    ...[nsenter, "-t", String(options.target), "-U", "-n", "--preserve-credentials", "--"],
    ...["sh", "-c", SETUP, "sh", ip],
    ...[setpriv, ...DROP_POWERS],
    ...[process.execPath, "--max-old-space-size=32", HELPER],
  ];
  const [program = "", ...rest] = command;
  const child: ChildProcess = spawn(program, rest, {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: TOOL_ENVIRONMENT,
    cwd: "/",
  });
  let complaint = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-2_000);
  });

  const servers: (Server | DatagramSocket)[] = [];
  const dials = new Map<number, Pending>();
  let nextDial = 0;
  const close = (): void => {
    child.kill("SIGKILL");
    for (const server of servers.splice(0)) server.close();
    for (const [, dial] of dials) dial.reject(new Error("the sandbox has ended"));
    dials.clear();
  };

  const ready = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      reject(new Error(`the network helper ended with ${code}: ${complaint.trim()}`));
      close();
    });
    child.on("message", (raw: unknown, handle: unknown) => {
      const message = helperMessage.parse(raw);
      switch (message.kind) {
        case "capture":
        case "names-tcp":
          if (!(handle instanceof Server)) return;
          servers.push(handle);
          if (message.kind === "capture") captureFrom(handle, message.port, egress);
          else answerStreams(handle, egress);
          return;
        case "names-udp":
          if (!(handle instanceof DatagramSocket)) return;
          servers.push(handle);
          answerOver(handle, egress);
          return;
        case "ready":
          return resolve();
        case "failed":
          return reject(new Error(message.reason));
        case "dialled": {
          const dial = dials.get(message.id);
          dials.delete(message.id);
          if (!(handle instanceof Socket))
            return dial?.reject(new Error("no connection came along"));
          handle.allowHalfOpen = true;
          if (dial === undefined) handle.destroy();
          else dial.resolve(handle);
          return;
        }
        case "refused":
          dials.get(message.id)?.reject(new Error(message.reason));
          dials.delete(message.id);
      }
    });
  });
  try {
    await within(ready, READY_DEADLINE, "the network helper");
  } catch (error) {
    close();
    throw error;
  }

  return {
    async dial(port) {
      nextDial += 1;
      const id = nextDial;
      const answered = new Promise<Socket>((resolve, reject) => {
        dials.set(id, { resolve, reject });
        child.send({ id, host: options.ingressAddress, port }, (error) => {
          if (error !== null) reject(error);
        });
      });
      try {
        return await within(answered, DIAL_DEADLINE, `a connection to port ${port}`);
      } finally {
        dials.delete(id);
      }
    },
    close,
  };
}
