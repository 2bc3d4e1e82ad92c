/** The paths of the Docker API about containers. */
import { constants } from "node:os";
import { join } from "node:path";
import { putArchive } from "./archive.ts";
import { hasLabels, inspect, stateOf } from "./container-view.ts";
import type { Containers } from "./containers.ts";
import { Refusal } from "./refusal.ts";
import { createRequest, listFilters } from "./requests.ts";
import { type Call, readJson, type Route } from "./route.ts";

function signalOf(text: string | null): NodeJS.Signals {
  const known = Object.keys(constants.signals).find((name) => name === (text ?? "SIGKILL"));
  if (known === undefined) throw new Refusal(400, `Unknown signal ${text}`);
  return known as NodeJS.Signals;
}

/** Sends the headers at once and the body when `code` is known, as the runtime expects. */
function answerLater({ response }: Call, code: Promise<number>): undefined {
  response.writeHead(200, { "content-type": "application/json" });
  response.flushHeaders();
  void code.then((StatusCode) => response.end(JSON.stringify({ StatusCode })));
  return undefined;
}

export function containerRoutes(containers: Containers): Route[] {
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
