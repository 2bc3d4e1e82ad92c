import type { Setting } from "./setting.ts";

/** Settings of the chat channels. */
export const CHANNEL_SETTINGS: readonly Setting[] = [
  {
    name: "TELEGRAM_BOT_TOKEN",
    secret: true,
    description:
      "The bot's token from @BotFather. It is enough: everything else happens by itself.",
    default: "no Telegram",
  },
  {
    name: "TELEGRAM_DM_POLICY",
    secret: false,
    description:
      "Who may write to the bot directly: pairing (whom you approve), allowlist (TELEGRAM_DM_ALLOW_FROM), open (everybody).",
    default: "pairing",
  },
  {
    name: "TELEGRAM_DM_ALLOW_FROM",
    secret: false,
    description:
      "Telegram ids (numbers) that are let in without pairing, separated by commas; * is everybody.",
    default: "nobody",
  },
  {
    name: "TELEGRAM_API_URL",
    secret: false,
    description: "Where the Bot API is, when you run its server yourself.",
    default: "https://api.telegram.org",
  },
  {
    name: "SLACK_BOT_TOKEN",
    secret: true,
    description:
      "The Bot User OAuth Token (xoxb-…) of your Slack app. Needs SLACK_SIGNING_SECRET or SLACK_APP_TOKEN beside it.",
    default: "no Slack",
  },
  {
    name: "SLACK_SIGNING_SECRET",
    secret: true,
    description:
      "The app's Signing Secret: Slack sends its events to /webhooks/slack/main on a public address.",
    default: "no events over HTTP",
  },
  {
    name: "SLACK_APP_TOKEN",
    secret: true,
    description:
      "The App-Level Token (xapp-…) with connections:write: Socket Mode, which needs no public address.",
    default: "no Socket Mode",
  },
  {
    name: "SLACK_DM_POLICY",
    secret: false,
    description:
      "Who may write to the app directly: pairing (whom you approve), allowlist (SLACK_DM_ALLOW_FROM), open (everybody).",
    default: "pairing",
  },
  {
    name: "SLACK_DM_ALLOW_FROM",
    secret: false,
    description:
      "Slack member ids (U0123ABCDEF) that are let in without pairing, by commas; * is everybody.",
    default: "nobody",
  },
  {
    name: "SLACK_CHANNELS",
    secret: false,
    description:
      "Channels (C0123ABCDEF, by commas; * for all it was invited to) in which everybody may mention the app. In the others only whom you let in.",
    default: "none",
  },
  {
    name: "SLACK_API_URL",
    secret: false,
    description: "Where Slack's Web API is, when a relay of yours stands in between.",
    default: "https://slack.com/api",
  },
  {
    name: "DISCORD_BOT_TOKEN",
    secret: true,
    description:
      "The bot's token from discord.com/developers. It is enough for direct messages; the bot needs the Message Content Intent.",
    default: "no Discord",
  },
  {
    name: "DISCORD_DM_POLICY",
    secret: false,
    description:
      "Who may write to the bot directly: pairing (whom you approve), allowlist (DISCORD_DM_ALLOW_FROM), open (everybody).",
    default: "pairing",
  },
  {
    name: "DISCORD_DM_ALLOW_FROM",
    secret: false,
    description:
      "Discord user ids that are let in without pairing, separated by commas; * is everybody.",
    default: "nobody",
  },
  {
    name: "DISCORD_GUILDS",
    secret: false,
    description:
      "Ids of Discord servers where every member may talk to the agent by mentioning the bot, separated by commas. In the others only whom you let in.",
    default: "none",
  },
  {
    name: "DISCORD_API_URL",
    secret: false,
    description:
      "Where Discord's REST API is, with its version, when not at its own address. Media are then fetched from the same host.",
    default: "https://discord.com/api/v10",
  },
  {
    name: "CHANNEL_OWNERS",
    secret: false,
    description:
      "Your own identities, which share one conversation with the web chat and may give commands: telegram:123456789, slack:U0123ABC, discord:456. Everybody else has a conversation of their own.",
    default: "none",
  },
  {
    name: "CHANNEL_STRANGER_WAKES",
    secret: false,
    description: "How often in a day people you have not let in may wake the agent to ask for it.",
    default: "5",
  },
];
