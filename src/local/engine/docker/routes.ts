/** What each path of the Docker API does, as far as the runtime calls it. */
import { containerRoutes } from "./container-routes.ts";
import type { Containers } from "./containers.ts";
import { execRoutes } from "./exec-routes.ts";
import type { Execs } from "./execs.ts";
import { Refusal } from "./refusal.ts";
import type { Route } from "./route.ts";

export const API_VERSION = "1.43";

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
