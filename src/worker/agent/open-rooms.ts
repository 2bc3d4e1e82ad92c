/** Makes the rooms of an agent from its surroundings and the Worker's configuration. */
import { SpendRoom } from "../ai/ledger/spend-room.ts";
import { AppsRoom, type AppsParts } from "../apps/room.ts";
import { BROWSER_LIMITS, BrowserRoom } from "../browser/room.ts";
import { ChannelsRoom } from "../channels/channels.ts";
import { openChannels, publicOrigin } from "../channels/open.ts";
import type { ChannelsParts } from "../channels/parts.ts";
import { configOf, secretsOf } from "../config.ts";
import type { Env } from "../env.ts";
import { createLogger } from "../logger.ts";

/** A Durable Object as its rooms see it. */
export interface Surroundings {
  ctx: DurableObjectState;
  env: Env;
  agentId: string;
}

const NO_CHANNELS = { strangerWakes: 0, owners: [] };

export interface SpendHooks {
  /** Writes to the owner on a chat platform. */
  tellOwner(text: string): Promise<boolean>;
  /** The panic button holds the agent. */
  held(): boolean;
  /** A call was counted, or a setting changed. */
  changed(): void;
}

export function openSpendRoom({ ctx, env, agentId }: Surroundings, hooks: SpendHooks): SpendRoom {
  const parsed = configOf(env);
  const { primary: configured, ...config } = parsed.ok ? parsed.config.models : { primary: "" };
  const owned = parsed.ok && parsed.config.channels.owners.length > 0;
  return new SpendRoom({
    sql: ctx.storage.sql,
    agentId,
    config,
    configured,
    defaults: parsed.ok ? parsed.config : { caps: {}, prices: [] },
    held: () => hooks.held(),
    ...(owned ? { tellOwner: (text: string) => hooks.tellOwner(text) } : {}),
    waitUntil: (work) => ctx.waitUntil(work),
    fetch: (input, init) => fetch(input, init),
    now: Date.now,
    changed: () => hooks.changed(),
  });
}

export function openBrowserRoom(
  { ctx, env, agentId }: Surroundings,
  startGeneration: () => number,
): BrowserRoom {
  const parsed = configOf(env);
  const { secret, dayCapMs } = parsed.ok ? parsed.config.browser : {};
  return new BrowserRoom({
    sql: ctx.storage.sql,
    agentId,
    binding: env.BROWSER,
    startGeneration,
    outside: secret !== undefined,
    dayCapMs,
    limits: BROWSER_LIMITS,
    now: Date.now,
  });
}

/** What only the agent itself can do for its apps. */
export type AppHooks = Pick<AppsParts, "origins" | "record" | "vouched" | "removed" | "changed">;

export function openAppsRoom({ ctx, agentId }: Surroundings, hooks: AppHooks): AppsRoom {
  return new AppsRoom({ sql: ctx.storage.sql, agentId, now: Date.now, ...hooks });
}

/** What only the agent itself can do for its channels. */
export type ChannelHooks = Pick<
  ChannelsParts,
  | "innerToken"
  | "readyStart"
  | "takingStart"
  | "look"
  | "wake"
  | "post"
  | "mark"
  | "call"
  | "touch"
  | "alert"
  | "changed"
>;

export function openChannelsRoom(
  { ctx, env, agentId }: Surroundings,
  hooks: ChannelHooks,
): ChannelsRoom {
  const parsed = configOf(env);
  const settings = parsed.ok ? parsed.config.channels : NO_CHANNELS;
  const origin = parsed.ok ? publicOrigin(parsed.config.workerOrigins) : undefined;
  return new ChannelsRoom({
    sql: ctx.storage.sql,
    agentId,
    open: (host) => openChannels(settings, origin, host),
    strangerWakes: settings.strangerWakes,
    owners: settings.owners,
    log: createLogger(parsed.ok ? secretsOf(parsed.config) : []),
    fetch: (input, init) => fetch(input, init),
    now: Date.now,
    waitUntil: (work) => ctx.waitUntil(work),
    ...hooks,
  });
}
