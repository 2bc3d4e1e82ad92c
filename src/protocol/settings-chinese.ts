const storage = "其他方案用来挂载存储桶的凭据；这里不需要，会被忽略，可以删除。";

/** What each setting is for, in Chinese; a test fails when one is missing or left over. */
export const CHINESE_SETTINGS: Record<string, string> = {
  MOLTBOT_GATEWAY_TOKEN:
    "进入助手的令牌，至少 32 个随机字符。`npm start` 会自动生成并保存；部署时必填。",
  MOLTBOT_GATEWAY_TOKEN_PREVIOUS:
    "更换令牌期间同时有效的旧令牌：用它建立的链接和会话继续有效，删除后即告结束。默认更换令牌会结束所有会话。",
  ANTHROPIC_API_KEY: "Anthropic 模型的密钥，只留在 Worker 里。",
  ANTHROPIC_BASE_URL:
    "Anthropic 接口的地址，默认 https://api.anthropic.com；经 Cloudflare AI Gateway 时以 /anthropic 结尾。需要 ANTHROPIC_API_KEY。",
  OPENAI_API_KEY: "OpenAI 模型的密钥，或 OPENAI_BASE_URL 所指服务的密钥。",
  OPENAI_BASE_URL:
    "任何兼容 OpenAI 的服务（也可以在本机），地址包含 /v1，默认 https://api.openai.com/v1；经 Cloudflare AI Gateway 的 OpenAI 地址以 /openai 结尾。不是 OpenAI 自己时，MODEL 必须写明它的一个模型。",
  GEMINI_API_KEY: "Google Gemini 模型的密钥。",
  OPENROUTER_API_KEY: "OpenRouter 的密钥。",
  WORKERS_AI_API_TOKEN:
    "Workers AI（Cloudflare 自家模型）的 API 令牌，需要同时设置 CF_ACCOUNT_ID。",
  CF_ACCOUNT_ID: "使用哪个 Cloudflare 账户的 Workers AI；存储不需要它。",
  MODEL:
    "助手使用的模型：<提供商>/<模型>，提供商可以是 anthropic、openai、google、openrouter、workers-ai。默认取 CF_AI_GATEWAY_MODEL，或第一个有密钥的提供商的当前模型。",
  CF_AI_GATEWAY_ACCOUNT_ID:
    "与 CF_AI_GATEWAY_GATEWAY_ID 一起设置后，模型调用经由该账户的 Cloudflare AI Gateway；默认直连提供商。",
  CF_AI_GATEWAY_GATEWAY_ID: "Cloudflare AI Gateway 中网关的名字。",
  CF_AI_GATEWAY_TOKEN:
    "需要认证的网关的令牌。有了它，提供商可以不在这里设置密钥：网关使用自己保存的密钥或统一计费。",
  CLOUDFLARE_AI_GATEWAY_API_KEY:
    "经由网关调用时的提供商密钥：属于 CF_AI_GATEWAY_MODEL 所写的提供商，没有写则是 Anthropic。",
  CF_AI_GATEWAY_MODEL:
    "按 Cloudflare AI Gateway 的写法：提供商/模型。设置了 MODEL 时以 MODEL 为准。",
  AI_GATEWAY_BASE_URL:
    "旧写法：网关的地址，以 /anthropic、/openai、/google-ai-studio、/openrouter、/workers-ai 或 /compat 结尾，与 AI_GATEWAY_API_KEY 配对。",
  AI_GATEWAY_API_KEY: "调用 AI_GATEWAY_BASE_URL 时的提供商密钥。",
  SPEND_CAP_DAY_USD: "每天（UTC）模型调用的美元上限，管理页的设置优先。默认不限。",
  SPEND_CAP_MONTH_USD: "每个自然月的美元上限。默认不限。",
  MODEL_PRICES:
    "自定义价格，用逗号分隔：提供商/模型=<每百万输入 token 的美元>/<输出>，例如 openai/llama3*=0/0。默认用内置价格表，查不到的按最坏情况计。",
  EGRESS_ALLOW:
    "沙箱可以访问的主机，用逗号或空格分隔：example.org、*.example.org、example.org:443。默认一个也没有。",
  SANDBOX_SLEEP_AFTER: "没有访问和任务多久之后休眠：never、10m、1h。默认 never。",
  BACKUP_KEY:
    "加密备份的钥匙：age X25519 身份（AGE-SECRET-KEY-1…），后面可以再写旧的，以便读取旧备份。请自己另存一份，丢失后备份无法打开。`npm start` 会自动生成并保存；部署时不设置则备份不加密。",
  BACKUP_RETENTION:
    "备份保留多久：多少小时内保留全部、多少天内每小时一份、多少天内每天一份、多少周内每周一份。默认 24h 7d 30d 52w。",
  WORKER_URL: "人们打开的地址，例如 https://agent.example.org；多个用逗号分隔。默认取请求的地址。",
  ADMIN_HOST: "管理页和管理接口单独使用的主机名。默认与助手相同。",
  CF_ACCESS_TEAM_DOMAIN:
    "让管理员登录的 Cloudflare Access 团队域名：myteam.cloudflareaccess.com。未设置时，部署后的管理页保持关闭。",
  CF_ACCESS_AUD:
    "覆盖 /_admin、/api 和 /debug 的 Access 应用的受众标签（AUD），多个用逗号分隔。未设置时，部署后的管理页保持关闭。",
  ADMIN_EMAILS: "通过 Access 的人之中谁是管理员：电子邮件地址。默认没有人。",
  ADMIN_SERVICE_TOKENS: "可作为管理员的程序：Access 服务令牌的客户端 ID。默认没有。",
  DEBUG_ROUTES: "设为 true 时向管理员开放 /debug/*。默认 false。",
  DEV_MODE: "拒绝：在别处它会关闭全部身份验证。",
  R2_ACCESS_KEY_ID: storage,
  R2_SECRET_ACCESS_KEY: storage,
  TELEGRAM_BOT_TOKEN:
    "@BotFather 给出的机器人令牌。有它就够了，其余自动完成。默认不使用 Telegram。",
  TELEGRAM_DM_POLICY:
    "谁可以直接给机器人发消息：pairing（经你批准）、allowlist（TELEGRAM_DM_ALLOW_FROM 里的人）、open（所有人）。默认 pairing。",
  TELEGRAM_DM_ALLOW_FROM:
    "无需配对即可使用的 Telegram ID（数字），用逗号分隔；* 表示所有人。默认没有。",
  TELEGRAM_API_URL: "自己运行 Bot API 服务器时它的地址。默认 https://api.telegram.org。",
  SLACK_BOT_TOKEN:
    "Slack 应用的 Bot User OAuth Token（xoxb-…），还需要 SLACK_SIGNING_SECRET 或 SLACK_APP_TOKEN。默认不使用 Slack。",
  SLACK_SIGNING_SECRET:
    "应用的 Signing Secret：Slack 把事件发到公网地址的 /webhooks/slack/main。默认不接收 HTTP 事件。",
  SLACK_APP_TOKEN:
    "带 connections:write 的 App-Level Token（xapp-…）：Socket Mode，不需要公网地址。默认不使用。",
  SLACK_DM_POLICY:
    "谁可以直接给应用发消息：pairing（经你批准）、allowlist（SLACK_DM_ALLOW_FROM 里的人）、open（所有人）。默认 pairing。",
  SLACK_DM_ALLOW_FROM:
    "无需配对即可使用的 Slack 成员 ID（U0123ABCDEF），用逗号分隔；* 表示所有人。默认没有。",
  SLACK_CHANNELS:
    "所有人都可以 @ 应用的频道（C0123ABCDEF，用逗号分隔；* 表示它被邀请进的所有频道）；其他频道里只有你批准的人可以。默认没有。",
  SLACK_API_URL: "中间有自己的中转时 Slack Web API 的地址。默认 https://slack.com/api。",
  CHANNEL_OWNERS:
    "你自己的身份，与网页聊天共用一个对话，并且可以下达命令：telegram:123456789、slack:U0123ABC、discord:456。其他每个人各有自己的对话。默认没有。",
  CHANNEL_STRANGER_WAKES: "未经批准的人每天最多可以唤醒助手多少次来申请。默认 5。",
  DISCORD_BOT_TOKEN:
    "discord.com/developers 给出的机器人令牌。私信有它就够了；机器人需要开启 Message Content Intent。默认不使用 Discord。",
  DISCORD_DM_POLICY:
    "谁可以直接给机器人发消息：pairing（经你批准）、allowlist（DISCORD_DM_ALLOW_FROM 里的人）、open（所有人）。默认 pairing。",
  DISCORD_DM_ALLOW_FROM: "无需配对即可使用的 Discord 用户 ID，用逗号分隔；* 表示所有人。默认没有。",
  DISCORD_GUILDS:
    "Discord 服务器的 ID，用逗号分隔：其中的成员提及机器人即可与助手对话；在其他服务器里只有你批准的人可以。默认没有。",
  DISCORD_API_URL:
    "Discord REST 接口的地址（含版本），默认 https://discord.com/api/v10。另设时，媒体文件也从同一主机获取。",
  CDP_SECRET:
    "让外部程序通过 /cdp 控制助手的浏览器：至少 32 个随机字符，放在请求头里。不设置时外部不能连接，助手自己可以。",
  CDP_SECRET_IN_URL:
    "设为 true 时也接受地址里的 ?secret=，给不能设置请求头的程序用；地址会留在别人的日志里。默认 false。",
  BROWSER_DAY_CAP: "每天（UTC）全部会话合计的浏览时间上限：90m、2h。默认不限。",
  BROWSER_ALLOW:
    "在自己的机器上：网页只能来自这些主机，写法同 EGRESS_ALLOW；在 Cloudflare 上不起作用。默认任何公网主机。",
  BROWSER_DENY: "在自己的机器上：网页不能来自这些主机；在 Cloudflare 上不起作用。默认没有。",
  BROWSER_PRIVATE:
    "在自己的机器上：允许浏览器打开的内网或本机主机，例如 192.168.1.20 或 localhost:3000。默认没有。",
};
