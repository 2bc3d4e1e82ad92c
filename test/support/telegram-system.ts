/** `npm start` with Telegram on loopback, and what the agent has of it afterwards. */
import { z } from "zod";
import { channelsReply, type ChannelsView } from "../../src/protocol/admin-channels.ts";
import { startTelegram, type TelegramEmulator } from "../emulators/telegram.ts";
import { createDevice, textOf, type GatewayClient } from "./gateway-client.ts";
import { killDescendants } from "./process-tree.ts";
import { makeStateDir, removeStateDir, startSystem, type RunningSystem } from "./running-system.ts";
import { openWebChat } from "./web-chat.ts";

export interface TelegramSystem {
  system: RunningSystem;
  telegram: TelegramEmulator;
  channels(): Promise<ChannelsView>;
  /** A client of the web chat, paired and let in. */
  webChat(): Promise<GatewayClient>;
  /** SIGKILL of every process of this part; answers how many there were. */
  kill(part: KilledPart): number;
  close(): Promise<void>;
}

export type KilledPart = "gateway" | "sandbox" | "workerd";

const PARTS: Record<KilledPart, (command: string) => boolean> = {
  gateway: (command) => command.startsWith("openclaw-gateway"),
  sandbox: (command) => /(^|\/)bwrap\b/.test(command),
  workerd: (command) => /workerd/.test(command) && command.includes("serve"),
};

/** @param env settings besides the token and where Telegram is */
export async function startTelegramSystem(
  env: Record<string, string> = {},
): Promise<TelegramSystem> {
  const stateDir = await makeStateDir();
  const telegram = await startTelegram();
  const system = await startSystem({
    stateDir,
    env: { TELEGRAM_BOT_TOKEN: telegram.token, TELEGRAM_API_URL: telegram.url, ...env },
  }).catch(async (error: unknown) => {
    await telegram.close();
    throw error;
  });
  const device = createDevice();
  const root = system.process.pid ?? 0;

  return {
    system,
    telegram,
    channels: async () => channelsReply.parse(await system.admin("/api/channels")),
    webChat: () => openWebChat(system, device, 150_000),
    kill: (part) => killDescendants(root, ({ command }) => PARTS[part](command)),
    async close() {
      await system.stop();
      await telegram.close();
      await removeStateDir(stateDir);
    },
  };
}

const sessionList = z.object({ sessions: z.array(z.object({ key: z.string() })) });
const history = z.object({
  messages: z.array(z.object({ role: z.string(), content: z.unknown() })),
});

/** What people said, in all conversations of the agent, as the gateway's own history has it. */
export async function saidToAgent(client: GatewayClient): Promise<string[]> {
  const listed = await client.call("sessions.list", { limit: 1_000 });
  if (!listed.ok) throw new Error(`sessions.list: ${listed.error.message}`);
  const said: string[] = [];
  for (const { key } of sessionList.parse(listed.payload).sessions) {
    const reply = await client.call("chat.history", { sessionKey: key, limit: 1_000 }, 60_000);
    if (!reply.ok) throw new Error(`chat.history of ${key}: ${reply.error.message}`);
    const { messages } = history.parse(reply.payload);
    said.push(
      ...messages.flatMap(({ role, content }) => (role === "user" ? [textOf(content)] : [])),
    );
  }
  return said;
}
