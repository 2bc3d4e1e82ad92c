/** What each path of the Docker API does, as far as the runtime calls it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { constants } from "node:os";
import { join } from "node:path";
import { putArchive } from "./archive.ts";
import type { Container, Containers } from "./containers.ts";
import type { Execs } from "./execs.ts";
import { Refusal } from "./refusal.ts";
import { createRequest, execRequest, execStartRequest, listFilters } from "./requests.ts";

export const API_VERSION = "1.43";
/** The port of the interceptor that the runtime asks for by number. */
const SIDECAR_PORT = "39001/tcp";
const LARGEST_BODY = 1024 * 1024;

export type Call = {
  request: IncomingMessage;
  response: ServerResponse;
  query: URLSearchParams;
  /** What the route's groups matched. */
  path: string[];
};

export type Answer = { status: number; body?: unknown };

export type Route = {
  method: string;
  path: RegExp;
  /** Undefined when it has answered by itself. */
  run: (call: Call) => Answer | undefined | Promise<Answer | undefined>;
};

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > LARGEST_BODY) throw new Refusal(413, "The request is too large");
    chunks.push(bytes);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? {} : JSON.parse(text);
}

function stateOf(container: Container): string {
  if (container.kind === "sidecar") return container.sidecar === undefined ? "created" : "running";
  return container.state === "starting" ? "created" : container.state;
}

function inspect(container: Container): unknown {
  const status = stateOf(container);
  const sandbox = container.kind === "sandbox" ? container : undefined;
  const port = container.kind === "sidecar" ? container.sidecar?.port : undefined;
  return {
    Id: container.id,
    Name: `/${container.name}`,
    State: {
      Status: status,
      Running: status === "running",
      Pid: sandbox?.sandbox?.pid ?? 0,
      ExitCode: sandbox?.exitCode ?? 0,
    },
    Config: { Image: container.image, Labels: container.labels },
    NetworkSettings: {
      Ports:
        port === undefined
          ? {}
          : { [SIDECAR_PORT]: [{ HostIp: "127.0.0.1", HostPort: String(port) }] },
    },
  };
}

function signalOf(text: string | null): NodeJS.Signals {
  const known = Object.keys(constants.signals).find((name) => name === (text ?? "SIGKILL"));
  if (known === undefined) throw new Refusal(400, `Unknown signal ${text}`);
  return known as NodeJS.Signals;
}

function hasLabels(container: Container, wanted: string[]): boolean {
  return wanted.every((label) => {
    const [key = "", ...value] = label.split("=");
    if (!Object.hasOwn(container.labels, key)) return false;
    return value.length === 0 || container.labels[key] === value.join("=");
  });
}

/** Sends the headers at once and the body when `code` is known, as the runtime expects. */
function answerLater({ response }: Call, code: Promise<number>): undefined {
  response.writeHead(200, { "content-type": "application/json" });
  response.flushHeaders();
  void code.then((StatusCode) => response.end(JSON.stringify({ StatusCode })));
  return undefined;
}

function containerRoutes(containers: Containers): Route[] {
  return [
    {
      method: "POST",
      path: /^\/containers\/create$/,
      run: async ({ request, query }) => {
        const name = query.get("name") ?? "";
        if (name === "") throw new Refusal(501, "This engine has no snapshots");
        const body = createRequest.parse(await readJson(request));
        const { id } = await containers.create(name, body);
        return { status: 201, body: { Id: id, Warnings: [] } };
      },
    },
    {
      method: "GET",
      path: /^\/containers\/json$/,
      run: ({ query }) => {
        const { label } = listFilters.parse(JSON.parse(query.get("filters") ?? "{}"));
        const found = containers.all().filter((container) => hasLabels(container, label));
        return {
          status: 200,
          body: found.map((container) => ({
            Id: container.id,
            Names: [`/${container.name}`],
            Image: container.image,
            State: stateOf(container),
            Labels: container.labels,
          })),
        };
      },
    },
    {
      method: "GET",
      path: /^\/containers\/([^/]+)\/json$/,
      run: ({ path: [key = ""] }) => ({ status: 200, body: inspect(containers.get(key)) }),
    },
    {
      method: "POST",
      path: /^\/containers\/([^/]+)\/start$/,
      run: async ({ path: [key = ""] }) => ({
        status: (await containers.start(containers.get(key))) ? 204 : 304,
      }),
    },
    {
      method: "POST",
      path: /^\/containers\/([^/]+)\/stop$/,
      run: async ({ path: [key = ""], query }) => {
        const seconds = query.has("t") ? Number(query.get("t")) : undefined;
        const stopped = await containers.stop(containers.getSandbox(key), seconds);
        return { status: stopped ? 204 : 304 };
      },
    },
    {
      method: "POST",
      path: /^\/containers\/([^/]+)\/kill$/,
      run: ({ path: [key = ""], query }) => {
        const signal = signalOf(query.get("signal"));
        const sent = containers.signal(containers.getSandbox(key), signal);
        return { status: sent ? 204 : 409 };
      },
    },
    {
      method: "POST",
      path: /^\/containers\/([^/]+)\/wait$/,
      run: (call) => {
        const [key = ""] = call.path;
        const container = containers.get(key);
        if (call.query.get("condition") === "removed") {
          return answerLater(
            call,
            container.removed.promise.then(() => 0),
          );
        }
        if (container.kind === "sidecar") return answerLater(call, Promise.resolve(0));
        return answerLater(call, container.ended.promise);
      },
    },
    {
      method: "PUT",
      path: /^\/containers\/([^/]+)\/archive$/,
      run: async ({ path: [key = ""], query, request }) => {
        const { directory } = containers.getSandbox(key);
        await putArchive(join(directory, "etc"), query.get("path") ?? "/", request);
        return { status: 200 };
      },
    },
    {
      method: "DELETE",
      path: /^\/containers\/([^/]+)$/,
      run: async ({ path: [key = ""] }) => {
        await containers.remove(containers.get(key));
        return { status: 204 };
      },
    },
  ];
}

function execRoutes(containers: Containers, execs: Execs): Route[] {
  return [
    {
      method: "POST",
      path: /^\/containers\/([^/]+)\/exec$/,
      run: async ({ path: [key = ""], request }) => {
        const body = execRequest.parse(await readJson(request));
        const { id } = execs.create(containers.getSandbox(key), body);
        return { status: 201, body: { Id: id } };
      },
    },
    {
      method: "POST",
      path: /^\/exec\/([^/]+)\/start$/,
      run: async ({ path: [id = ""], request }) => {
        if (execStartRequest.parse(await readJson(request)).Detach !== true) {
          throw new Refusal(400, "An attached start needs Upgrade: tcp");
        }
        execs.startDetached(execs.get(id));
        return { status: 200 };
      },
    },
    {
      method: "GET",
      path: /^\/exec\/([^/]+)\/json$/,
      run: ({ path: [id = ""] }) => {
        const { state, exitCode, pid } = execs.get(id);
        const ended = state === "exited";
        return {
          status: 200,
          body: { ID: id, Running: !ended, ExitCode: ended ? exitCode : null, Pid: pid },
        };
      },
    },
  ];
}

/** What the runtime asks about its surroundings: a network to listen on, volumes, versions. */
const SURROUNDINGS: Route[] = [
  {
    method: "GET",
    path: /^\/networks\/bridge$/,
    run: () => ({
      status: 200,
      // The runtime listens for what leaves the sandboxes on the gateway's address.
      body: {
        Name: "bridge",
        Id: "bridge",
        IPAM: { Driver: "default", Config: [{ Subnet: "127.0.0.0/8", Gateway: "127.0.0.1" }] },
      },
    }),
  },
  {
    method: "GET",
    path: /^\/volumes$/,
    run: () => ({ status: 200, body: { Volumes: [], Warnings: [] } }),
  },
  { method: "GET", path: /^\/_ping$/, run: () => ({ status: 200, body: "OK" }) },
  {
    method: "GET",
    path: /^\/version$/,
    run: () => ({
      status: 200,
      body: { ApiVersion: API_VERSION, MinAPIVersion: "1.24", Version: "moltworker", Os: "linux" },
    }),
  },
  {
    method: "POST",
    path: /^\/(?:commit|volumes\/create)$/,
    run: () => {
      throw new Refusal(501, "This engine has no snapshots: state is kept by backups");
    },
  },
];

export function dockerRoutes(containers: Containers, execs: Execs): Route[] {
  return [...containerRoutes(containers), ...execRoutes(containers, execs), ...SURROUNDINGS];
}
