/** What a request may look like at all. Fails closed, before any guard runs. */
export const MAX_URL_LENGTH = 8192;
export const MAX_HEADER_BYTES = 32 * 1024;

export interface Refusal {
  status: number;
  code: string;
  message: string;
  headers?: Record<string, string>;
}

export function refuseShape(request: Request): Refusal | undefined {
  if (request.url.length > MAX_URL_LENGTH) {
    return { status: 414, code: "url_too_long", message: "The address is too long." };
  }
  let bytes = 0;
  for (const [name, value] of request.headers) bytes += name.length + value.length + 4;
  if (bytes > MAX_HEADER_BYTES) {
    return {
      status: 431,
      code: "headers_too_large",
      message: "The request's headers are too large.",
    };
  }
  if (request.headers.has("service-worker")) {
    return { status: 404, code: "no_service_worker", message: "No service worker is served here." };
  }
  return refuseUpgrade(request);
}

export function isUpgrade(request: Request): boolean {
  return request.headers.has("upgrade");
}

const WEBSOCKET = { Upgrade: "websocket", "Sec-WebSocket-Version": "13" };

/** RFC 6455, section 4.2.1. Some edges keep the handshake headers to themselves. */
function refuseUpgrade(request: Request): Refusal | undefined {
  const upgrade = request.headers.get("upgrade");
  if (upgrade === null) return undefined;
  const malformed = (message: string): Refusal => ({
    status: 400,
    code: "malformed_upgrade",
    message,
  });
  if (upgrade.trim().toLowerCase() !== "websocket") {
    return malformed("The only upgrade spoken here is websocket.");
  }
  if (request.method !== "GET") return malformed("A WebSocket upgrade is a GET request.");
  const key = request.headers.get("sec-websocket-key");
  if (key !== null && !/^[A-Za-z0-9+/]{22}==$/.test(key)) {
    return malformed("Sec-WebSocket-Key is not 16 bytes of base64.");
  }
  const version = request.headers.get("sec-websocket-version");
  if (version !== null && version !== "13") {
    return {
      status: 426,
      code: "websocket_version",
      message: "Only WebSocket version 13 is spoken here.",
      headers: WEBSOCKET,
    };
  }
  return undefined;
}
