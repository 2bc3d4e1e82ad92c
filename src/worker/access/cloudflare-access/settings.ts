/**
 * What has to be configured before Cloudflare Access can name an admin. Fails closed: with
 * anything missing the admin routes stay shut and say what is missing.
 */
export interface AccessConfig {
  /** `https://<team>.cloudflareaccess.com`: the issuer, and where the keys and the login are. */
  teamOrigin?: string;
  audiences: string[];
  /** Addresses in lower case. */
  adminEmails: string[];
  /** Client ids of service tokens. */
  adminServiceTokens: string[];
}

export interface AccessSettings extends AccessConfig {
  teamOrigin: string;
}

export type CompleteAccess =
  | { ok: true; settings: AccessSettings }
  | { ok: false; missing: string[] };

export function completeAccess(config: AccessConfig): CompleteAccess {
  const { teamOrigin } = config;
  const missing = [
    ...(teamOrigin === undefined ? ["CF_ACCESS_TEAM_DOMAIN"] : []),
    ...(config.audiences.length === 0 ? ["CF_ACCESS_AUD"] : []),
    ...(config.adminEmails.length + config.adminServiceTokens.length === 0
      ? ["ADMIN_EMAILS (or ADMIN_SERVICE_TOKENS)"]
      : []),
  ];
  if (teamOrigin === undefined || missing.length > 0) return { ok: false, missing };
  return { ok: true, settings: { ...config, teamOrigin } };
}
