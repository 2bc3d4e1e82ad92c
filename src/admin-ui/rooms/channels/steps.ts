import type { ChannelId } from "../../../protocol/channels.ts";

type Steps = Partial<Record<ChannelId, readonly string[]>>;

const en: Steps = {
  telegram: [
    "In Telegram, write /newbot to @BotFather and follow it; it gives you a token.",
    "Put TELEGRAM_BOT_TOKEN=… into .dev.vars (or `wrangler secret put TELEGRAM_BOT_TOKEN` when deployed) and start again.",
    "When deployed, set WORKER_URL to the address of this Worker: messages then come to it by themselves. On your own machine nothing more is needed.",
    "Write to your bot, then let yourself in on this page. To share one conversation with the web chat set CHANNEL_OWNERS=telegram:<your id>.",
  ],
  slack: [
    "On api.slack.com/apps choose Create New App, From a manifest, your workspace, and paste the manifest below: the first one, with the address of WORKER_URL in it, when there is a public address, the second one (Socket Mode) when there is none.",
    "Install the app and copy the Bot User OAuth Token: SLACK_BOT_TOKEN=xoxb-….",
    "With the first manifest also copy the Signing Secret from Basic Information: SLACK_SIGNING_SECRET=…. With the second make an App-Level Token there with connections:write: SLACK_APP_TOKEN=xapp-….",
    "Put them into .dev.vars (or `wrangler secret put <name>` when deployed) and start again. With the first manifest then press Retry on the page Event Subscriptions.",
    "Write to the app, then let yourself in on this page. To share one conversation with the web chat set CHANNEL_OWNERS=slack:<your member ID>; your profile in Slack shows it under ⋮.",
  ],
  discord: [
    "On discord.com/developers/applications make a New Application. On its page Bot press Reset Token and copy the token, and switch on Message Content Intent.",
    "On Installation keep Guild Install with the scopes bot and applications.commands, open the install link and add the bot to a server you are in: only then can you write to it.",
    "Put DISCORD_BOT_TOKEN=… into .dev.vars (or `wrangler secret put DISCORD_BOT_TOKEN` when deployed) and start again. No public address is needed.",
    "Write to the bot, then let yourself in on this page. To share one conversation with the web chat set CHANNEL_OWNERS=discord:<your user ID>; with Developer Mode on, Discord copies it from your name.",
    "For a team set DISCORD_GUILDS=<server ID>: every member of that server may then mention the bot.",
  ],
};

const zh: Steps = {
  telegram: [
    "在 Telegram 里给 @BotFather 发送 /newbot 并按提示操作，它会给你一个令牌。",
    "把 TELEGRAM_BOT_TOKEN=… 写进 .dev.vars（部署后用 `wrangler secret put TELEGRAM_BOT_TOKEN`），然后重新启动。",
    "部署后把 WORKER_URL 设为本 Worker 的地址，消息就会自动到达。在自己的机器上无需其他步骤。",
    "给你的机器人发一条消息，然后在本页允许自己。要与网页聊天共用一个对话，请设置 CHANNEL_OWNERS=telegram:<你的 ID>。",
  ],
  slack: [
    "在 api.slack.com/apps 选择 Create New App、From a manifest 和你的工作区，粘贴下面的清单：有公网地址时用第一份，其中的地址应是 WORKER_URL；没有时用第二份（Socket Mode）。",
    "安装应用，复制 Bot User OAuth Token：SLACK_BOT_TOKEN=xoxb-…。",
    "用第一份清单时，再从 Basic Information 复制 Signing Secret：SLACK_SIGNING_SECRET=…；用第二份时，在那里创建带 connections:write 的 App-Level Token：SLACK_APP_TOKEN=xapp-…。",
    "把它们写进 .dev.vars（部署后用 `wrangler secret put <名称>`），然后重新启动。用第一份清单时，再到 Event Subscriptions 页面按 Retry。",
    "给应用发一条消息，然后在本页允许自己。要与网页聊天共用一个对话，请设置 CHANNEL_OWNERS=slack:<你的成员 ID>，它在你的 Slack 个人资料的 ⋮ 里。",
  ],
  discord: [
    "在 discord.com/developers/applications 创建 New Application。在它的 Bot 页面按 Reset Token 并复制令牌，同时打开 Message Content Intent。",
    "在 Installation 页面保留 Guild Install 以及 bot、applications.commands 两个范围，打开安装链接，把机器人加入一个你所在的服务器：这样你才能给它发私信。",
    "把 DISCORD_BOT_TOKEN=… 写进 .dev.vars（部署后用 `wrangler secret put DISCORD_BOT_TOKEN`），然后重新启动。不需要公网地址。",
    "给机器人发一条消息，然后在本页允许自己。要与网页聊天共用一个对话，请设置 CHANNEL_OWNERS=discord:<你的用户 ID>；打开开发者模式后，可以在你的名字上复制它。",
    "供团队使用时设置 DISCORD_GUILDS=<服务器 ID>：该服务器的每个成员都可以提及机器人。",
  ],
};

export const STEPS = { en, zh };
