/** Which Chromium this machine browses with: a given path, an installed one, or a package's. */
import { execFile } from "node:child_process";
import { open, readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { findTool, searchPath } from "../../engine/bubblewrap/host.ts";
import type { Bind } from "../../engine/image.ts";
import { unpackCarried } from "./carried.ts";

export interface FoundChromium {
  /** As a person would know it: a path, or the package. */
  source: string;
  /** As the program tells it, such as `Chromium 156.0.8078.79`. */
  version: string;
  /** Path inside the sandbox. */
  executable: string;
  /** What the sandbox must be shown for it. */
  binds: Bind[];
  env: Record<string, string>;
  /** False where asking for `/json/protocol` ends the program: the package's is built without it. */
  describesProtocol: boolean;
}

export type ChromiumSearch =
  | { ok: true; chromium: FoundChromium }
  | { ok: false; reason: string; mend: string };

const INSTALLED = [
  "chromium",
  "chromium-browser",
  "google-chrome-stable",
  "google-chrome",
  "chrome-headless-shell",
];
const INSIDE = "/opt/chromium";
const FONTS_INSIDE = "/opt/chromium-fonts";
const LIBRARIES_INSIDE = "/opt/chromium-libraries";
/** Permission bits of those who neither own a file nor are of its group: read and run. */
const OTHERS_RUN = 0o005;
const VERSION_DEADLINE = 20_000;
const MEND =
  "Install Chromium (Debian, Ubuntu: sudo apt-get install chromium) or give its path with --browser.";

/** @param wanted a path, or undefined for whatever there is */
export async function findChromium(
  wanted: string | undefined,
  stateDir: string,
): Promise<ChromiumSearch> {
  if (wanted !== undefined) {
    const found = await describe(wanted, wanted);
    if (found !== undefined) return { ok: true, chromium: found };
    return {
      ok: false,
      reason: `${wanted} is no Chromium that runs here, or not everybody may run it`,
      mend: MEND,
    };
  }
  const search = searchPath(process.env["PATH"] ?? "");
  for (const name of INSTALLED) {
    const file = findTool(name, search);
    const found = file === undefined ? undefined : await describe(file, file);
    if (found !== undefined) return { ok: true, chromium: found };
  }
  const carried = await unpackCarried(stateDir).catch(() => undefined);
  if (carried !== undefined) {
    const source = `the npm package @sparticuz/chromium ${carried.version}`;
    const fonts: Bind = { source: carried.fonts, target: FONTS_INSIDE, mode: "ro" };
    const plain = await describe(carried.executable, source);
    if (plain !== undefined) {
      return { ok: true, chromium: { ...plain, binds: [...plain.binds, fonts] } };
    }
    const helped = await describe(carried.executable, source, carried.libraries);
    if (helped !== undefined) {
      const libraries: Bind = { source: carried.libraries, target: LIBRARIES_INSIDE, mode: "ro" };
      return {
        ok: true,
        chromium: {
          ...helped,
          binds: [...helped.binds, fonts, libraries],
          env: { LD_LIBRARY_PATH: LIBRARIES_INSIDE },
        },
      };
    }
  }
  return { ok: false, reason: "no Chrome or Chromium was found", mend: MEND };
}

/** Undefined when the file is none that runs here. */
async function describe(
  file: string,
  source: string,
  libraries?: string,
): Promise<FoundChromium | undefined> {
  const real = await realpath(file).catch(() => undefined);
  // A snap runs only through its own daemon, which a sandbox does not reach.
  if (real === undefined || real.endsWith("/snap") || (await startsSnap(real))) return undefined;
  // Started as root the sandbox is somebody else all the same.
  const { mode } = await stat(real);
  if (process.getuid?.() === 0 && (mode & OTHERS_RUN) !== OTHERS_RUN) return undefined;
  const version = await versionOf(real, libraries);
  if (version === undefined) return undefined;
  // The carried one comes without the resources that real installations have beside the program.
  const { own, ...placed } = await place(real);
  return { source, version, ...placed, env: {}, describesProtocol: own };
}

/** Under /usr every sandbox sees it. Elsewhere a program's own folder is shown, never a common one. */
async function place(real: string): Promise<{ executable: string; binds: Bind[]; own: boolean }> {
  if (real.startsWith("/usr/")) return { executable: real, binds: [], own: true };
  const folder = path.dirname(real);
  const beside = await readdir(folder);
  const own = ["icudtl.dat", "resources.pak"].every((name) => beside.includes(name));
  const executable = path.posix.join(INSIDE, path.basename(real));
  return own
    ? { own, executable, binds: [{ source: folder, target: INSIDE, mode: "ro" }] }
    : { own, executable, binds: [{ source: real, target: executable, mode: "ro" }] };
}

async function startsSnap(file: string): Promise<boolean> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return false;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
    const head = buffer.subarray(0, bytesRead).toString("latin1");
    return head.startsWith("#!") && head.includes("/snap/");
  } finally {
    await handle.close();
  }
}

function versionOf(file: string, libraries: string | undefined): Promise<string | undefined> {
  return new Promise((resolve) => {
    const env = {
      PATH: "/usr/bin:/bin",
      HOME: "/nonexistent",
      ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }),
    };
    execFile(file, ["--version"], { timeout: VERSION_DEADLINE, env }, (error, stdout) => {
      const [, version] = /([A-Z][\w ]*\d+\.\d+\.\d+\.\d+)/.exec(stdout) ?? [];
      resolve(error === null ? version?.trim() : undefined);
    });
  });
}
