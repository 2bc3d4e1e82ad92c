/**
 * Slack's settings. The bot token and one of the two ways in: the signing secret for events that
 * Slack sends to a public address, the app token for Socket Mode, which needs none.
 */
import type { DmPolicy } from "../../../protocol/channels.ts";
import type { ConfigProblem, Read } from "../../config/reading.ts";
import { baseUrl, type Field } from "../../config/fields.ts";
import { dmPolicy, effectivePolicy, senderIds } from "../fields.ts";

export interface SlackSettings {
  botToken: string;
  /** Socket Mode: the Durable Object holds the connection. */
  appToken?: string;
  /** Events over HTTP; both may be set, what comes twice is kept once. */
  signingSecret?: string;
  policy: DmPolicy;
  allowFrom: readonly string[];
  /** Channels in which everybody may address the agent; `*` for each it was invited to. */
  openChannels: readonly string[];
  /** The Web API, with its `/api`, without a trailing slash. */
  apiUrl: string;
}

export const SLACK_API = "https://slack.com/api";
/** What stands in the sandbox where the bot token would: of its shape, worth nothing. */
export const SLACK_PLACEHOLDER = "xoxb-moltworker-placeholder";

export function readSlack(read: Read, problems: ConfigProblem[]): SlackSettings | undefined {
  const botToken = read("SLACK_BOT_TOKEN", tokenOf("xoxb-", "Bot User OAuth Token", BOT_PAGE));
  const appToken = read("SLACK_APP_TOKEN", tokenOf("xapp-", "App-Level Token", APP_PAGE));
  const signingSecret = read("SLACK_SIGNING_SECRET", secret);
  const said = read("SLACK_DM_POLICY", dmPolicy) ?? "pairing";
  const allowFrom =
    read("SLACK_DM_ALLOW_FROM", senderIds(/^[UW][A-Z0-9]{2,30}$/, "U0123ABCDEF")) ?? [];
  const policy = effectivePolicy(said, allowFrom);
  const openChannels = read("SLACK_CHANNELS", channelIds) ?? [];
  const apiUrl = read("SLACK_API_URL", baseUrl) ?? SLACK_API;
  const wrong = problems.some(({ name }) => CREDENTIALS.has(name));
  if (botToken === undefined) {
    if (!wrong && (appToken !== undefined || signingSecret !== undefined)) {
      problems.push({
        name: "SLACK_BOT_TOKEN",
        problem: "is not set, although another setting of Slack is",
        mend: `Set it to the Bot User OAuth Token (xoxb-…) from ${BOT_PAGE}.`,
      });
    }
    return undefined;
  }
  if (!wrong && appToken === undefined && signingSecret === undefined) {
    problems.push({
      name: "SLACK_BOT_TOKEN",
      problem: "is set, but there is no way for Slack's messages to come in",
      mend: "Also set SLACK_SIGNING_SECRET, for events sent to a public address, or SLACK_APP_TOKEN, for Socket Mode, which needs no address.",
    });
  }
  if (policy === "allowlist" && allowFrom.length === 0) {
    problems.push({
      name: "SLACK_DM_ALLOW_FROM",
      problem: "is not set, so that SLACK_DM_POLICY=allowlist would let nobody in",
      mend: "Set it to your own member ID: your profile in Slack, ⋮, Copy member ID.",
    });
  }
  return {
    botToken,
    ...(appToken === undefined ? {} : { appToken }),
    ...(signingSecret === undefined ? {} : { signingSecret }),
    ...{ policy, allowFrom, openChannels, apiUrl },
  };
}

export function slackSecrets({ botToken, appToken, signingSecret }: SlackSettings): string[] {
  return [botToken, appToken, signingSecret].filter((one) => one !== undefined);
}

const CREDENTIALS = new Set(["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"]);
const BOT_PAGE = "OAuth & Permissions on the app's page (api.slack.com/apps)";
const APP_PAGE = "Basic Information, App-Level Tokens, on the app's page (api.slack.com/apps)";

function tokenOf(prefix: string, name: string, page: string): (text: string) => Field<string> {
  return (text) => {
    if (text.startsWith(prefix) && /^[A-Za-z0-9-]{15,300}$/.test(text)) {
      return { ok: true, value: text };
    }
    return {
      ok: false,
      problem: `does not look like Slack's ${name}, which begins with ${prefix}`,
      mend: `Copy the ${name} from ${page}.`,
    };
  };
}

function secret(text: string): Field<string> {
  if (/^[0-9a-f]{32}$/i.test(text)) return { ok: true, value: text };
  return {
    ok: false,
    problem: "is not a signing secret, which is 32 hexadecimal digits",
    mend: "Copy the Signing Secret from Basic Information on the app's page (api.slack.com/apps).",
  };
}

function channelIds(text: string): Field<string[]> {
  const value = text.split(/[\s,]+/).filter((entry) => entry !== "");
  const wrong = value.find((entry) => entry !== "*" && !/^[CG][A-Z0-9]{2,30}$/.test(entry));
  if (value.length > 0 && wrong === undefined) return { ok: true, value };
  return {
    ok: false,
    problem: `holds "${(wrong ?? "").slice(0, 80)}", which is not a channel's id`,
    mend: "Write ids such as C0123ABCDEF, separated by commas; a channel's details in Slack show its id at the very end.",
  };
}
