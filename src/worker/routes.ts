import { PAGES, STATIC_FILES, STATIC_FOLDERS } from "./control-ui/pages.ts";

/**
 * Who may pass: `public` anybody, `session` whoever holds the gateway token or its cookie, `ws` the
 * same for a WebSocket upgrade, `cdp` whoever holds the CDP secret, `admin` whoever the admin verifier names, `closed` nobody.
 */
export type Guard = "public" | "session" | "ws" | "cdp" | "admin" | "closed";

export type Room =
  | "health"
  | "static"
  | "login"
  | "logout"
  | "pair"
  | "shell"
  | "session"
  | "bootstrap"
  | "agent"
  | "cdp"
  | "admin-page"
  | "admin-api"
  | "debug"
  | "webhook"
  | "none";

export interface Route {
  /** An exact path, or a prefix that ends in `/*` and covers everything below it. */
  pattern: string;
  methods: readonly string[];
  guard: Guard;
  room: Room;
  /** The row is for a WebSocket upgrade, or for a top-level document, and passed over otherwise. */
  when?: "upgrade" | "document";
}

const READ = ["GET", "HEAD"] as const;
const ANY = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** Read from the top; the first row that fits decides. */
export const ROUTES: readonly Route[] = [
  { pattern: "/healthz", methods: READ, guard: "public", room: "health" },

  { pattern: "/_moltworker/login", methods: ["GET", "POST"], guard: "public", room: "login" },
  { pattern: "/_moltworker/logout", methods: ["POST"], guard: "public", room: "logout" },
  { pattern: "/_moltworker/pair", methods: ["GET", "POST"], guard: "public", room: "pair" },
  { pattern: "/_moltworker/session", methods: ["GET"], guard: "session", room: "session" },
  { pattern: "/_moltworker/bootstrap.js", methods: ["GET"], guard: "session", room: "bootstrap" },
  { pattern: "/_moltworker/events", methods: ["GET"], guard: "session", room: "agent" },
  { pattern: "/_moltworker/*", methods: ANY, guard: "closed", room: "none" },

  // What the chat platforms send; each proves itself (see `channels/webhooks.ts`).
  { pattern: "/webhooks/*", methods: ["POST"], guard: "public", room: "webhook" },

  { pattern: "/_admin", methods: READ, guard: "admin", room: "admin-page" },
  { pattern: "/_admin/*", methods: READ, guard: "admin", room: "admin-page" },
  // What the Control UI fetches from the gateway itself, between the admin API's own names.
  { pattern: "/api/chat/media/*", methods: READ, guard: "session", room: "agent" },
  { pattern: "/api/artifacts/*", methods: READ, guard: "session", room: "agent" },
  { pattern: "/api/users/*", methods: READ, guard: "session", room: "agent" },
  { pattern: "/api", methods: ANY, guard: "admin", room: "admin-api" },
  { pattern: "/api/*", methods: ANY, guard: "admin", room: "admin-api" },
  { pattern: "/debug/*", methods: READ, guard: "admin", room: "debug" },

  { pattern: "/cdp", methods: ["GET"], guard: "cdp", room: "cdp" },
  { pattern: "/cdp/*", methods: ["GET", "PUT"], guard: "cdp", room: "cdp" },

  // Gateway routes that make the shared token a full operator without any pairing.
  { pattern: "/v1", methods: ANY, guard: "closed", room: "none" },
  { pattern: "/v1/*", methods: ANY, guard: "closed", room: "none" },
  { pattern: "/tools", methods: ANY, guard: "closed", room: "none" },
  { pattern: "/tools/*", methods: ANY, guard: "closed", room: "none" },
  { pattern: "/cdn-cgi/*", methods: ANY, guard: "closed", room: "none" },
  { pattern: "/_control-ui", methods: ANY, guard: "closed", room: "none" },
  { pattern: "/_control-ui/*", methods: ANY, guard: "closed", room: "none" },
  // Its worker would keep the inner token and an event stream in the browser's cache storage.
  { pattern: "/sw.js", methods: ANY, guard: "closed", room: "none" },

  ...STATIC_FILES.map(
    (pattern) => ({ pattern, methods: READ, guard: "public", room: "static" }) as const,
  ),
  ...STATIC_FOLDERS.map(
    (folder) =>
      ({ pattern: `/${folder}/*`, methods: READ, guard: "public", room: "static" }) as const,
  ),

  { pattern: "/ws", methods: ["GET"], guard: "ws", room: "agent", when: "upgrade" },
  { pattern: "/*", methods: ["GET"], guard: "ws", room: "agent", when: "upgrade" },
  { pattern: "/", methods: READ, guard: "session", room: "shell" },
  ...[...PAGES, "debug"].flatMap((page): Route[] => [
    { pattern: `/${page}`, methods: READ, guard: "session", room: "shell", when: "document" },
    { pattern: `/${page}/*`, methods: READ, guard: "session", room: "shell", when: "document" },
  ]),
  { pattern: "/*", methods: ANY, guard: "session", room: "agent" },
];

export interface Asked {
  /** As `readPath` returned it. */
  path: string;
  method: string;
  upgrade: boolean;
  document: boolean;
}

export type Match = { ok: true; route: Route } | { ok: false; reason: "method"; allow: string };

export function matchRoute(asked: Asked): Match {
  const route = ROUTES.find(
    (row) =>
      covers(row.pattern, asked.path) &&
      (row.when !== "upgrade" || asked.upgrade) &&
      (row.when !== "document" || asked.document),
  );
  // The last row covers every path.
  if (route === undefined) return { ok: false, reason: "method", allow: "" };
  if (route.guard !== "closed" && !route.methods.includes(asked.method)) {
    return { ok: false, reason: "method", allow: route.methods.join(", ") };
  }
  return { ok: true, route };
}

function covers(pattern: string, path: string): boolean {
  return pattern.endsWith("/*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}
