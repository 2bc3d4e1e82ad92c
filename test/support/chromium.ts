/** The Chromium that the tests drive: the one a package carries, so that a machine needs none. */
import { chmod } from "node:fs/promises";
import carried from "@sparticuz/chromium";
import { chromium, type Browser } from "playwright-core";

/**
 * Keeps a browser without internet from waiting for hosts it cannot reach. The package's own list of
 * arguments is not used: it switches the same-origin policy off and puts everything in one process.
 */
const QUIET = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--no-first-run",
  "--disable-gpu",
  "--no-sandbox",
];

/** `CHROMIUM_PATH`, or the package's, unpacked. */
export async function chromiumPath(): Promise<string> {
  const given = process.env["CHROMIUM_PATH"];
  if (given !== undefined) return given;
  const unpacked = await carried.executablePath();
  // Unpacked by root it is for root alone, and a sandbox is another user.
  await chmod(unpacked, 0o755);
  return unpacked;
}

export async function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: await chromiumPath(), headless: true, args: QUIET });
}
