/** Chat platforms through which people reach the agent, besides the web chat. */
export const CHANNEL_IDS = ["telegram", "slack", "discord"] as const;

export type ChannelId = (typeof CHANNEL_IDS)[number];

/** Who may write directly: after an approval, anybody, or only those in the settings. */
export const DM_POLICIES = ["pairing", "open", "allowlist"] as const;

export type DmPolicy = (typeof DM_POLICIES)[number];
