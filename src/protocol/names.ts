/** Host names that exist only inside the sandbox; the Worker answers them (see `worker/egress`). */
export const INTERNAL_HOSTS = {
  ai: "ai.moltworker.internal",
  backup: "backup.moltworker.internal",
  browser: "browser.moltworker.internal",
  control: "control.moltworker.internal",
} as const;

export type InternalHost = (typeof INTERNAL_HOSTS)[keyof typeof INTERNAL_HOSTS];

/**
 * TCP ports inside the sandbox.
 *
 * `front` and `control` belong to the supervisor and listen on 0.0.0.0, because the cloud dials the
 * container's own address; `gateway` is the OpenClaw gateway on loopback, behind `front`, and
 * `telegram` its listener for Telegram's updates, behind `control`; `browser` is a Chrome debugging
 * port on loopback that the supervisor relays to `browser.moltworker.internal`.
 */
export const SANDBOX_PORTS = {
  front: 8080,
  control: 8081,
  gateway: 18789,
  telegram: 18787,
  browser: 9222,
} as const;

/** Of a request to `browser.`: the address by which the program in the sandbox came. */
export const CDP_HOST_HEADER = "x-moltworker-cdp-host";

/**
 * Of a request to the Durable Object: a socket of the sandbox to a chat platform, as
 * `<channel> <start generation>`. What comes from outside has lost every header of this prefix.
 */
export const CHANNEL_SOCKET_HEADER = "x-moltworker-channel-socket";

/** Version of the boot and report protocol between the Durable Object and the supervisor. */
export const CONTROL_PROTOCOL = 1;

/** The model that `npm start` brings, for a person who has named none of their own. */
export const DEMO_MODEL = "moltworker-demo";

/** The one agent of a fresh installation. */
export const DEFAULT_AGENT_ID = "main";
