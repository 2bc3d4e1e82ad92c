/** The words that start Chromium in its sandbox. Pure. */

/** The port of DevTools inside the browser's own network namespace. */
export const DEVTOOLS_PORT = 9222;
/**
 * The stand-in address of the filtering proxy. Any address that the namespace captures would do; the
 * block is assigned but not routed on the internet.
 */
export const PROXY_ADDRESS = "11.0.0.1";
export const PROXY_PORT = 80;

/** Chromium refuses to be user 0, which a sandbox's only user is, so it becomes another one first. */
const AS_ANOTHER_USER = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"];

const FLAGS = [
  "--headless",
  `--remote-debugging-port=${DEVTOOLS_PORT}`,
  // Everything it writes, downloads included, is in the sandbox's bounded temporary file system.
  "--user-data-dir=/tmp/profile",
  "--disk-cache-size=33554432",
  "--disable-dev-shm-usage",
  // The only way out; without the second flag loopback addresses would go around it.
  `--proxy-server=http://${PROXY_ADDRESS}:${PROXY_PORT}`,
  "--proxy-bypass-list=<-loopback>",
  "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
  "--disable-quic",
  // It talks to nobody on its own.
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-domain-reliability",
  "--disable-sync",
  "--no-pings",
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-extensions",
  // A page that opens a thousand tabs gets no thousand processes.
  "--renderer-process-limit=24",
  "--disable-gpu",
  "--disable-software-rasterizer",
  "--mute-audio",
  "--password-store=basic",
  "--use-mock-keychain",
];

export function chromiumCommand(executable: string): string[] {
  return [...AS_ANOTHER_USER, executable, ...FLAGS, "about:blank"];
}

export const FONTS_FILE = "/opt/chromium-config/fonts.conf";

/** The host's fonts and a package's; fontconfig's own configuration is not in the sandbox. */
export const FONTS_CONFIG = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>/usr/local/share/fonts</dir>
  <dir>/opt/chromium-fonts</dir>
  <cachedir>/tmp/fontconfig</cachedir>
</fontconfig>
`;
