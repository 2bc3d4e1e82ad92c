/** The paths of the Docker API about programs started in a container. */
import type { Containers } from "./containers.ts";
import type { Execs } from "./execs.ts";
import { Refusal } from "./refusal.ts";
import { execRequest, execStartRequest } from "./requests.ts";
import { readJson, type Route } from "./route.ts";

export function execRoutes(containers: Containers, execs: Execs): Route[] {
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
