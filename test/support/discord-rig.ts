/** Discord's channel in a real workerd, and what the sandbox's side of it does. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { z } from "zod";
import { channelsReply } from "../../src/protocol/admin-channels.ts";
import type { DiscordSettings } from "../../src/worker/channels/discord/settings.ts";
import { BY_ITSELF, workerModule } from "./worker-module.ts";

export const DISCORD_OWNER = "700000000000000005";
const view = channelsReply.and(z.object({ wakes: z.number(), alerts: z.array(z.string()) }));
export type RoomView = z.infer<typeof view>;

export interface DiscordRig {
  /** Where the sandbox's own calls and sockets go. */
  sandbox: string;
  view(): Promise<RoomView>;
  /** Whether there is a gateway that is ready. */
  awake(is: boolean): Promise<void>;
  /** As if so many milliseconds had passed, and the alarm had come. */
  later(ms: number): Promise<void>;
  /** To the owner, `DISCORD_OWNER`. */
  tell(text: string): Promise<void>;
  /** Empties the inbox. */
  drop(): Promise<void>;
  /** A committed backup holds everything so far. */
  keep(): Promise<void>;
  /** What the platform does to a Durable Object that it moves. */
  evict(): Promise<void>;
  close(): Promise<void>;
}

export async function startDiscordRig(settings: DiscordSettings): Promise<DiscordRig> {
  const folder = await mkdtemp(path.join(tmpdir(), "discord-rig-"));
  const worker = await workerModule("discord.worker.ts");
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      ...BY_ITSELF,
      handleStructuredLogs: () => undefined,
      resourcePersistencePath: folder,
      ...worker,
      bindings: {
        OWNER: DISCORD_OWNER,
        SETTINGS: { ...settings, allowFrom: [...settings.allowFrom], guilds: [...settings.guilds] },
      },
      durableObjects: { ROOM: { className: "Room", useSQLite: true } },
    }),
  );
  const url = await miniflare.ready;
  const ask = async (act: string): Promise<RoomView> =>
    view.parse(await (await fetch(new URL(`/room/${act}`, url))).json());
  // A Durable Object begins with the first call.
  await ask("view");
  return {
    sandbox: `${url.origin}/sandbox`,
    view: () => ask("view"),
    awake: async (is) => void (await ask(`awake?is=${is}`)),
    later: async (ms) => void (await ask(`later?ms=${ms}`)),
    tell: async (text) => void (await ask(`tell?text=${encodeURIComponent(text)}`)),
    drop: async () => void (await ask("drop")),
    keep: async () => void (await ask("keep")),
    evict: async () => void (await fetch(new URL("/room/evict", url)).catch(() => undefined)),
    async close() {
      await miniflare.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
