/**
 * Where a WebSocket to Discord's Gateway is opened, as `fetch` takes it. Only at Discord itself, or at
 * the host that stands for it: the token goes there. Undefined for any other address.
 */
export function gatewayAddress(text: string | undefined, apiUrl: string): string | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const api = new URL(apiUrl);
  const fits =
    api.hostname === "discord.com"
      ? url.protocol === "wss:" && url.port === "" && url.hostname.endsWith(".discord.gg")
      : url.host === api.host;
  if (!fits) return undefined;
  url.protocol = url.protocol === "ws:" ? "http:" : "https:";
  url.search = "?v=10&encoding=json";
  return url.href;
}
