/**
 * Where a socket for Socket Mode may go: Slack's own hosts, or the host that stands for Slack's API. Who
 * answers `apps.connections.open` falsely is given no connection. Pure, fails closed.
 */

/** @returns the address for an upgrade by HTTP, or undefined when it is somebody else's */
export function socketAddress(text: string | undefined, apiUrl: string): string | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const api = new URL(apiUrl);
  const fits =
    api.hostname === "slack.com"
      ? url.protocol === "wss:" && url.hostname.endsWith(".slack.com") && url.port === ""
      : url.host === api.host && ["ws:", "wss:"].includes(url.protocol);
  if (!fits) return undefined;
  url.protocol = url.protocol === "ws:" ? "http:" : "https:";
  return url.href;
}
