/**
 * What the gateway's configuration says about channels: one row a platform, no secret. The
 * gateway's own token, a file inside the sandbox, serves where a listener wants one.
 */
import { SANDBOX_PORTS } from "../../protocol/names.ts";
import type { ChannelSettings, OwnerIdentity } from "./settings.ts";
import { placeholderToken as discordPlaceholder } from "./discord/settings.ts";
import { SLACK_COMMAND } from "../../protocol/slack-manifest.ts";
import { SLACK_PLACEHOLDER } from "./slack/settings.ts";
import { placeholderToken } from "./telegram/settings.ts";

/** Reads the gateway's own token; the same reference as `gateway.auth` uses. */
type SecretRef = { source: "file"; provider: string; id: string };

export const TELEGRAM_WEBHOOK_PATH = "/telegram-webhook";
export const SLACK_EVENTS_PATH = "/slack/events";

export function channelsConfig(settings: ChannelSettings, innerToken: SecretRef): object {
  const { telegram, slack, discord, owners } = settings;
  const blocks = {
    ...(telegram === undefined
      ? {}
      : {
          telegram: {
            enabled: true,
            botToken: placeholderToken(telegram),
            dmPolicy: telegram.policy,
            allowFrom: allowFrom("telegram", telegram, owners),
            // In any group, by those of `allowFrom` alone: an approval by pairing is for direct messages.
            groupPolicy: "allowlist",
            groups: { "*": { requireMention: true } },
            // Never called from outside: the Durable Object hands the updates over.
            webhookUrl: "https://webhooks.moltworker.internal/telegram",
            webhookSecret: innerToken,
            webhookPort: SANDBOX_PORTS.telegram,
            webhookPath: TELEGRAM_WEBHOOK_PATH,
            webhookHost: "127.0.0.1",
          },
        }),
    ...(slack === undefined
      ? {}
      : {
          slack: {
            enabled: true,
            mode: "http",
            botToken: SLACK_PLACEHOLDER,
            // The Durable Object signs what it hands over with the gateway's own token.
            signingSecret: innerToken,
            webhookPath: SLACK_EVENTS_PATH,
            dmPolicy: slack.policy,
            allowFrom: allowFrom("slack", slack, owners),
            slashCommand: { enabled: true, name: SLACK_COMMAND.slice(1) },
            // Who may speak in a channel is decided before anything is handed over.
            groupPolicy: "open",
          },
        }),
    ...(discord === undefined
      ? {}
      : {
          discord: {
            enabled: true,
            token: discordPlaceholder(discord),
            dmPolicy: discord.policy,
            allowFrom: allowFrom("discord", discord, owners),
            // Which servers, and who there, is decided before anything is handed over.
            groupPolicy: "open",
            guilds: { "*": { requireMention: true } },
          },
        }),
  };
  return {
    session: { dmScope: "per-channel-peer" },
    ...(Object.keys(blocks).length === 0 ? {} : { channels: blocks }),
    ...(owners.length === 0 ? {} : ownersConfig(owners)),
  };
}

/** Only these identities share the owner's conversation, which is the web chat's, and may command. */
function ownersConfig(owners: readonly OwnerIdentity[]): object {
  return {
    bindings: owners.map(({ channel, id }) => ({
      type: "route",
      agentId: "main",
      match: { channel, peer: { kind: "direct", id } },
      session: { dmScope: "main" },
    })),
    commands: { ownerAllowFrom: owners.map(({ channel, id }) => `${channel}:${id}`) },
  };
}

function allowFrom(
  channel: OwnerIdentity["channel"],
  settings: { policy: string; allowFrom: readonly string[] },
  owners: readonly OwnerIdentity[],
): string[] {
  const own = owners.filter((owner) => owner.channel === channel).map(({ id }) => id);
  const all = settings.policy === "open" ? ["*"] : [];
  return [...new Set([...all, ...settings.allowFrom, ...own])].toSorted();
}
