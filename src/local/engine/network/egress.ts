/**
 * What leaves a sandbox: every captured connection is handed to the runtime's egress listener,
 * which asks the Worker. Fails closed: no listener, no rule or no answer means no connection.
 */
import { lookup } from "node:dns/promises";
import { type Socket, isIP, isIPv6 } from "node:net";
import { TLSSocket } from "node:tls";
import * as z from "zod";
import { within } from "../deadline.ts";
import { relay } from "../relay.ts";
import type { Authority } from "./certificates.ts";
import { readClientHello } from "./client-hello.ts";
import { TYPE_A, readQuestion, writeResponse } from "./dns.ts";
import { createNameBook, matchesPattern } from "./names.ts";
import { peek } from "./peek.ts";
import { relayRequests } from "./relay-requests.ts";
import { readRequestHead } from "./request-head.ts";
import { type Destination, type Tunnel, openTunnel } from "./tunnel.ts";

/** How long a client may take to say what it wants. */
const CLIENT_DEADLINE = 15_000;
const LOOKUP_DEADLINE = 5_000;

/** The body of `PUT /egress`; parts left out keep their last value. */
export const egressSettings = z.object({
  port: z.number().int().min(1).max(65_535),
  dns: z.object({ allowHostnames: z.array(z.string()).default([]) }).optional(),
  internet: z.object({ enabled: z.boolean().default(false) }).optional(),
});

export type Egress = {
  configure(settings: z.infer<typeof egressSettings>): void;
  /** Takes over a captured connection to `destination`. */
  accept(socket: Socket, destination: Destination): void;
  /** Takes over a connection whose client named its host, as with a proxy. */
  acceptNamed(socket: Socket, host: string, port: number): Promise<void>;
  /** Answers a DNS query; undefined for what is not one. */
  resolve(query: Buffer): Promise<Buffer | undefined>;
};

const HOST_NAME = /^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?$/;

export function createEgress(authority: Authority): Egress {
  const book = createNameBook();
  let port: number | undefined;
  let allowHostnames: string[] = [];
  let internet = false;

  const allowed = (name: string): boolean =>
    internet || allowHostnames.some((pattern) => matchesPattern(pattern, name));

  const connect = (
    client: Socket,
    to: Destination,
    header: Record<string, string>,
  ): Promise<Tunnel> => openTunnel({ port: () => port, to, header, client });

  const plain = async (socket: Socket, to: Destination): Promise<void> => {
    const head = await peek(socket, readRequestHead, CLIENT_DEADLINE);
    if (head === undefined) return void socket.destroy();
    const said = head.host ?? "";
    const name = HOST_NAME.test(said) ? said : (book.nameOf(to.address) ?? to.address);
    const tunnel = await connect(socket, to, { "x-hostname": isIPv6(name) ? `[${name}]` : name });
    relayRequests(socket, tunnel.socket, () => socket.resetAndDestroy());
  };

  const secure = async (socket: Socket, to: Destination): Promise<void> => {
    const hello = await peek(socket, readClientHello, CLIENT_DEADLINE);
    if (hello === undefined) return void socket.destroy();
    if (hello.kind === "not-tls") return relay(socket, (await connect(socket, to, {})).socket);
    const said = hello.serverName ?? "";
    const name = HOST_NAME.test(said) ? said : (book.nameOf(to.address) ?? to.address);
    // Before the tunnel: it has no listener between its opening and its relay.
    const secureContext = await authority.contextFor(name);
    const tunnel = await connect(socket, to, { "x-tls-sni": isIPv6(name) ? `[${name}]` : name });
    if (!tunnel.plaintext) return relay(socket, tunnel.socket);
    const server = new TLSSocket(socket, {
      isServer: true,
      secureContext,
      ALPNProtocols: ["http/1.1"],
    });
    relayRequests(server, tunnel.socket, () => socket.resetAndDestroy());
  };

  const accept = async (socket: Socket, to: Destination): Promise<void> => {
    socket.on("error", () => socket.destroy());
    try {
      await (to.port === 443 ? secure(socket, to) : plain(socket, to));
    } catch {
      socket.destroy();
    }
  };

  const addressOf = async (name: string): Promise<string> => {
    if (!internet) return book.addressOf(name);
    // Only a passed-through connection needs the real address; interception goes by name.
    const found = lookup(name, { family: 4 }).then((result) => result.address);
    const address = await within(found, LOOKUP_DEADLINE, "a name lookup").catch(() => undefined);
    if (address === undefined) return book.addressOf(name);
    book.remember(name, address);
    return address;
  };

  return {
    configure(settings) {
      port = settings.port;
      if (settings.dns !== undefined) allowHostnames = settings.dns.allowHostnames;
      if (settings.internet !== undefined) internet = settings.internet.enabled;
    },
    accept(socket, destination) {
      void accept(socket, destination);
    },
    async acceptNamed(socket, host, to) {
      const known = isIP(host) !== 0;
      const address = known ? host : await addressOf(host.toLowerCase());
      await accept(socket, { address, port: to });
    },
    async resolve(query) {
      const question = readQuestion(query);
      if (question === undefined) return undefined;
      if (!HOST_NAME.test(question.name) || !allowed(question.name)) {
        return writeResponse(query, question, { kind: "unknown-name" });
      }
      if (question.type !== TYPE_A) return writeResponse(query, question, { kind: "empty" });
      const address = await addressOf(question.name);
      return writeResponse(query, question, { kind: "address", address });
    },
  };
}
