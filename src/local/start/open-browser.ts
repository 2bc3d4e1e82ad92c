import { spawn } from "node:child_process";

export interface Desktop {
  platform: string;
  tty: boolean;
  root: boolean;
  env: Record<string, string | undefined>;
}

/** The program that opens a link, or undefined where nobody sits in front of it. Pure. */
export function browserOpener({ platform, tty, root, env }: Desktop): string | undefined {
  if (!tty || root || env["CI"] || env["SSH_CONNECTION"]) return undefined;
  if (platform === "darwin") return "open";
  if (platform === "linux" && (env["DISPLAY"] || env["WAYLAND_DISPLAY"])) return "xdg-open";
  return undefined;
}

/** The link holds the token: it is handed over as an argument for the moment of the opening only. */
export function openBrowser(opener: string, url: string): void {
  const child = spawn(opener, [url], { stdio: "ignore", detached: true });
  child.on("error", () => {});
  child.unref();
}
