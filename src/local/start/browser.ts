/** The agent's browser on this machine; without one the agent runs all the same. */
import { openLocalBrowser } from "../browser/open.ts";
import type { Config } from "../../worker/config.ts";
import type { Closers } from "./closers.ts";
import type { StartOptions } from "./options.ts";

export interface StartedBrowser {
  /** Of the browser binding; undefined when there is none. */
  socketPath: string | undefined;
  /** For the person who starts. */
  text: string;
}

export async function openBrowser(
  { browser: wanted }: Pick<StartOptions, "browser">,
  engine: "bubblewrap" | "docker" | "plain",
  { stateDir, config }: { stateDir: string; config: Config },
  closers: Closers,
): Promise<StartedBrowser> {
  if (wanted === "off") return { socketPath: undefined, text: "off (--browser off)" };
  if (engine === "plain") {
    return { socketPath: undefined, text: "off: the plain engine gives the agent no browser" };
  }
  const opened = await openLocalBrowser({
    chromium: wanted === "auto" ? undefined : wanted,
    stateDir,
    policy: config.browser.hosts,
  });
  if (!opened.ok) return { socketPath: undefined, text: `off: ${opened.reason}` };
  closers.add("browser", opened.close);
  const outside = config.browser.secret === undefined ? "CDP_SECRET opens /cdp" : "/cdp is open";
  return {
    socketPath: opened.socketPath,
    text: `${opened.version} from ${opened.source}; ${outside}`,
  };
}
