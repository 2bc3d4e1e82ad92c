/**
 * Where the Control UI's own files and pages are. The names come from the pinned `openclaw`
 * package; a test compares them with it.
 */

/** Files of the package that the Worker serves from its assets, to anybody. */
export const STATIC_FILES = [
  "/apple-touch-icon.png",
  "/favicon-32.png",
  "/favicon.ico",
  "/favicon.svg",
  "/manifest.webmanifest",
  "/social-card.png",
] as const;

export const STATIC_FOLDERS = [
  "app-art",
  "assets",
  "cloud-provider-icons",
  "community-art",
  "file-icons",
  "fonts",
  "provider-icons",
  "themes",
] as const;

/** First path segments of the Control UI's client-side routes: each is the same HTML document. */
export const PAGES = [
  "activity",
  "agents",
  "ai-agents",
  "appearance",
  "approve",
  "apps",
  "ask",
  "automation",
  "automations",
  "channels",
  "chat",
  "communications",
  "config",
  "cron",
  "custodian",
  "dashboard",
  "dashboards",
  "infrastructure",
  "lobsterdex",
  "logs",
  "mcp",
  "meetings",
  "memory-import",
  "model-providers",
  "model-setup",
  "new",
  "nodes",
  "plugin",
  "plugins",
  "portals",
  "profile",
  "sessions",
  "settings",
  "skills",
  "systems",
  "tasks",
  "terminal",
  "usage",
  "workboard",
  "worktrees",
] as const;
