/**
 * Every setting a person may give, as data: the example settings file and the documentation are
 * generated from it and the configuration page lists which of them are set.
 */
import { CHANNEL_SETTINGS } from "./channel-settings.ts";
import type { Setting } from "./setting.ts";

export const SETTINGS: readonly Setting[] = [
  {
    name: "MOLTBOT_GATEWAY_TOKEN",
    secret: true,
    description: "Opens the door to the agent: at least 32 random characters.",
    default: "made and kept by `npm start`; required when deployed",
  },
  {
    name: "MOLTBOT_GATEWAY_TOKEN_PREVIOUS",
    secret: true,
    description:
      "The token before, taken as well while you replace it: links and sessions made with it go on. Remove it to end them.",
    default: "changing the token ends every session",
  },
  {
    name: "ANTHROPIC_API_KEY",
    secret: true,
    description: "Key for Anthropic's models. Stays in the Worker.",
  },
  {
    name: "ANTHROPIC_BASE_URL",
    secret: false,
    description:
      "Where Anthropic's API is, when not at its own address; Cloudflare AI Gateway's ends in /anthropic. Needs ANTHROPIC_API_KEY.",
    default: "https://api.anthropic.com",
  },
  {
    name: "OPENAI_API_KEY",
    secret: true,
    description: "Key for OpenAI's models or for the server named by OPENAI_BASE_URL.",
  },
  {
    name: "OPENAI_BASE_URL",
    secret: false,
    description:
      "Any OpenAI-compatible server, also one on this machine, with its /v1; Cloudflare AI Gateway's address of OpenAI ends in /openai. MODEL must name a model of another server than OpenAI's.",
    default: "https://api.openai.com/v1",
  },
  {
    name: "GEMINI_API_KEY",
    secret: true,
    description: "Key for Google's Gemini models.",
  },
  {
    name: "OPENROUTER_API_KEY",
    secret: true,
    description: "Key for the models behind OpenRouter.",
  },
  {
    name: "WORKERS_AI_API_TOKEN",
    secret: true,
    description: "API token for Workers AI, Cloudflare's own models. Needs CF_ACCOUNT_ID.",
  },
  {
    name: "CF_ACCOUNT_ID",
    secret: false,
    description: "The Cloudflare account whose Workers AI is used. Storage needs no account here.",
  },
  {
    name: "MODEL",
    secret: false,
    description:
      "The model the agent thinks with: <provider>/<model>, where the provider is anthropic, openai, google, openrouter or workers-ai.",
    default: "CF_AI_GATEWAY_MODEL, or a current model of the first provider that has a key",
  },
  {
    name: "CF_AI_GATEWAY_ACCOUNT_ID",
    secret: false,
    description:
      "With CF_AI_GATEWAY_GATEWAY_ID: model calls go through this account's Cloudflare AI Gateway.",
    default: "model calls go straight to the providers",
  },
  {
    name: "CF_AI_GATEWAY_GATEWAY_ID",
    secret: false,
    description: "The name of the gateway in Cloudflare AI Gateway.",
  },
  {
    name: "CF_AI_GATEWAY_TOKEN",
    secret: true,
    description:
      "Token of an authenticated gateway. With it a provider needs no key here: the gateway uses a stored one or bills for it.",
  },
  {
    name: "CLOUDFLARE_AI_GATEWAY_API_KEY",
    secret: true,
    description:
      "The provider's key for calls through the gateway: of the provider that CF_AI_GATEWAY_MODEL names, otherwise Anthropic's.",
  },
  {
    name: "CF_AI_GATEWAY_MODEL",
    secret: false,
    description:
      "provider/model as Cloudflare AI Gateway names it. MODEL, when set, goes before it.",
  },
  {
    name: "AI_GATEWAY_BASE_URL",
    secret: false,
    description:
      "The older way to name a gateway: its address ending in /anthropic, /openai, /google-ai-studio, /openrouter, /workers-ai or /compat, for the key in AI_GATEWAY_API_KEY.",
  },
  {
    name: "AI_GATEWAY_API_KEY",
    secret: true,
    description: "The provider's key for calls to AI_GATEWAY_BASE_URL.",
  },
  {
    name: "SPEND_CAP_DAY_USD",
    secret: false,
    description:
      "Model calls may cost no more than this many dollars in a day (UTC). The admin page's setting goes before it.",
    default: "no cap",
  },
  {
    name: "SPEND_CAP_MONTH_USD",
    secret: false,
    description: "The same for a calendar month.",
    default: "no cap",
  },
  {
    name: "MODEL_PRICES",
    secret: false,
    description:
      "Prices of one's own, separated by commas: provider/model=<dollars for a million tokens in>/<out>, such as openai/llama3*=0/0.",
    default: "the price list in this release; where it has none, a worst case is counted",
  },
  {
    name: "EGRESS_ALLOW",
    secret: false,
    description:
      "Hosts the sandbox may reach, separated by commas or spaces: example.org, *.example.org, example.org:443.",
    default: "none",
  },
  {
    name: "CDP_SECRET",
    secret: true,
    description:
      "Opens /cdp to programs outside, which then control a browser of this agent: at least 32 random characters, sent as a header.",
    default: "nobody outside may connect; the agent itself may",
  },
  {
    name: "CDP_SECRET_IN_URL",
    secret: false,
    description:
      "true also takes the secret from ?secret=, for clients that can set no header. Addresses end up in the logs of others.",
    default: "false",
  },
  {
    name: "BROWSER_DAY_CAP",
    secret: false,
    description: "Browsing time of a day (UTC), all sessions together: 90m, 2h.",
    default: "no cap",
  },
  {
    name: "BROWSER_ALLOW",
    secret: false,
    description:
      "On your own machine: the only hosts pages may come from, written as in EGRESS_ALLOW. Has no effect on Cloudflare.",
    default: "every public host",
  },
  {
    name: "BROWSER_DENY",
    secret: false,
    description:
      "On your own machine: hosts that pages may not come from. Has no effect on Cloudflare.",
    default: "none",
  },
  {
    name: "BROWSER_PRIVATE",
    secret: false,
    description:
      "On your own machine: hosts in a private network, or on this machine, that the browser may open all the same, such as 192.168.1.20 or localhost:3000.",
    default: "none",
  },
  {
    name: "SANDBOX_SLEEP_AFTER",
    secret: false,
    description: "How long the sandbox stays up without traffic or work: never, 10m, 1h.",
    default: "never",
  },
  {
    name: "BACKUP_KEY",
    secret: true,
    description:
      "Encrypts the backups: an age X25519 identity (AGE-SECRET-KEY-1…). An older one may follow, so that older backups stay readable. Keep a copy: without it they cannot be opened.",
    default: "made and kept by `npm start`; when deployed, backups are not encrypted without it",
  },
  {
    name: "BACKUP_RETENTION",
    secret: false,
    description:
      "How long backups stay: hours with every generation, days with one an hour, days with one a day, weeks with one a week.",
    default: "24h 7d 30d 52w",
  },
  {
    name: "WORKER_URL",
    secret: false,
    description:
      "The address people open, https://agent.example.org. Several are separated by commas.",
    default: "the address of the request",
  },
  {
    name: "ADMIN_HOST",
    secret: false,
    description: "A host name of its own for the admin page and its API.",
    default: "the same host as the agent",
  },
  {
    name: "CF_ACCESS_TEAM_DOMAIN",
    secret: false,
    description: "The Cloudflare Access team that logs admins in: myteam.cloudflareaccess.com.",
    default: "the admin page stays closed when deployed",
  },
  {
    name: "CF_ACCESS_AUD",
    secret: false,
    description:
      "Audience tag of the Access application that covers /_admin, /api and /debug. Several are separated by commas.",
    default: "the admin page stays closed when deployed",
  },
  {
    name: "ADMIN_EMAILS",
    secret: false,
    description: "Who of those that Access lets in is an admin: e-mail addresses.",
    default: "nobody",
  },
  {
    name: "ADMIN_SERVICE_TOKENS",
    secret: false,
    description: "Programs that are admins: client ids of Access service tokens.",
    default: "none",
  },
  ...CHANNEL_SETTINGS,
  {
    name: "DEBUG_ROUTES",
    secret: false,
    description: "true opens /debug/* to admins.",
    default: "false",
  },
  {
    name: "DEV_MODE",
    secret: false,
    description: "Refused: elsewhere it switches all authentication off.",
    unused: "refused",
  },
  ...["R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY"].map((name) => ({
    name,
    secret: true,
    description: "Storage credentials that other setups mount the bucket with.",
    unused: "ignored: the bucket is bound to the Worker and needs no key, so you can delete it",
  })),
];
