/**
 * The manifest from which Slack makes the app (https://docs.slack.dev/app-manifests/): what the agent
 * needs to read and answer, and nothing else. Shown on the admin page and in `docs/slack.md`.
 */
export const SLACK_COMMAND = "/openclaw";

const SCOPES = [
  "app_mentions:read",
  "channels:history",
  "channels:read",
  "chat:write",
  "commands",
  "emoji:read",
  "files:read",
  "files:write",
  "groups:history",
  "groups:read",
  "im:history",
  "im:read",
  "im:write",
  "reactions:read",
  "reactions:write",
  "users:read",
] as const;

const EVENTS = [
  "app_mention",
  "member_joined_channel",
  "message.channels",
  "message.groups",
  "message.im",
  "reaction_added",
  "reaction_removed",
] as const;

/** @param address where Slack posts to; without one the app uses Socket Mode */
export function slackManifest(address?: string): object {
  const to = address === undefined ? {} : { request_url: address };
  return {
    display_information: { name: "OpenClaw", description: "Your personal agent" },
    features: {
      bot_user: { display_name: "OpenClaw", always_online: true },
      app_home: { messages_tab_enabled: true, messages_tab_read_only_enabled: false },
      slash_commands: [
        {
          command: SLACK_COMMAND,
          description: "Ask the agent",
          usage_hint: "what you want",
          should_escape: false,
          ...(address === undefined ? {} : { url: address }),
        },
      ],
    },
    oauth_config: { scopes: { bot: SCOPES } },
    settings: {
      event_subscriptions: { ...to, bot_events: EVENTS },
      interactivity: { is_enabled: true, ...to },
      socket_mode_enabled: address === undefined,
      org_deploy_enabled: false,
      token_rotation_enabled: false,
    },
  };
}
