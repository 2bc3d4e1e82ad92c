/**
 * One Chromium in a sandbox of its own: no host files, a profile that dies with it, and a network
 * namespace whose only exit is the filtering proxy.
 *
 * Fails closed: a connection to anything but the proxy's stand-in address is dropped, and no name
 * resolves inside.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { within } from "../../engine/deadline.ts";
import { removeTree } from "../../engine/directories.ts";
import { readQuestion, writeResponse } from "../../engine/network/dns.ts";
import type { Egress } from "../../engine/network/egress.ts";
import type { Launch } from "../../engine/sandbox.ts";
import {
  chromiumCommand,
  DEVTOOLS_PORT,
  FONTS_CONFIG,
  FONTS_FILE,
  PROXY_ADDRESS,
  PROXY_PORT,
} from "./arguments.ts";
import type { FoundChromium } from "./find.ts";

const START_DEADLINE = 30_000;
const REQUEST_DEADLINE = 15_000;
const RETRY_MS = 10;
const LARGEST_REPLY = 16 * 1024 * 1024;
const MEMORY_BYTES = 2 * 1024 ** 3;
const PIDS_MAX = 768;
const HOME = "/home/browser";

export interface Chromium {
  /** Path of the browser's own WebSocket. */
  devtoolsPath: string;
  /** Settles once nothing of it runs any more and its folder is gone. */
  exited: Promise<void>;
  describesProtocol: boolean;
  /** A connection to its DevTools port. */
  dial(): Promise<Socket>;
  /** A request to its DevTools port. */
  ask(method: string, target: string): Promise<{ status: number; text: string }>;
  /** SIGKILL to everything of it; its folder is removed after that. */
  close(): Promise<void>;
}

export interface ChromiumParts {
  launch: Launch;
  found: FoundChromium;
  /** Unique among those that run. */
  name: string;
  /** For this one alone; removed with it. */
  directory: string;
  /** Takes over a connection to the proxy. */
  proxy(socket: Socket): void;
}

const version = z.object({ webSocketDebuggerUrl: z.string() });

/** @throws Error with the program's last words when it does not start */
export async function startChromium(parts: ChromiumParts): Promise<Chromium> {
  const { found, directory } = parts;
  const config = path.join(directory, "config");
  const home = path.join(directory, "nothing");
  await mkdir(config, { recursive: true });
  await mkdir(home, { recursive: true });
  await writeFile(path.join(config, "fonts.conf"), FONTS_CONFIG);
  const lastWords: string[] = [];
  let started = false;
  const sandbox = await parts.launch({
    name: parts.name,
    directory,
    command: chromiumCommand(found.executable),
    env: {
      PATH: "/usr/bin:/bin",
      LANG: "C.UTF-8",
      HOME: "/tmp",
      FONTCONFIG_FILE: FONTS_FILE,
      ...found.env,
    },
    image: {
      entrypoint: [],
      env: { HOME },
      cwd: "/tmp",
      hostname: "browser",
      binds: [
        ...found.binds,
        { source: config, target: path.dirname(FONTS_FILE), mode: "ro" },
        // Whoever drives the browser names the folder of its downloads: none of them is on the disk.
        { source: home, target: HOME, mode: "ro" },
      ],
      memoryBytes: MEMORY_BYTES,
      pidsMax: PIDS_MAX,
    },
    egress: onlyTo(parts.proxy),
    // Pages can write to Chromium's output: it is read while it starts and never after.
    log: (_stream, line) => {
      if (!started && line.trim() !== "") lastWords.push(line.slice(0, 500));
      if (lastWords.length > 5) lastWords.shift();
    },
  });
  const exited = sandbox.exited.then(() => removeTree(directory));
  const chromium = {
    exited,
    describesProtocol: found.describesProtocol,
    dial: () => sandbox.dial(DEVTOOLS_PORT),
    ask: (method: string, target: string) => ask(chromium.dial, method, target),
    async close() {
      sandbox.kill();
      await exited;
    },
  };
  const waiting = new AbortController();
  try {
    const gone = sandbox.exited.then((code) => {
      throw new Error(`Chromium ended with ${code}: ${lastWords.join(" | ")}`);
    });
    const devtoolsPath = await within(
      Promise.race([untilReady(chromium, waiting.signal), gone]),
      START_DEADLINE,
      "Chromium",
    );
    started = true;
    return { ...chromium, devtoolsPath };
  } catch (error) {
    waiting.abort();
    await chromium.close();
    throw error;
  }
}

async function untilReady(chromium: Pick<Chromium, "ask">, stop: AbortSignal): Promise<string> {
  for (;;) {
    stop.throwIfAborted();
    try {
      const { text } = await chromium.ask("GET", "/json/version");
      return new URL(version.parse(JSON.parse(text)).webSocketDebuggerUrl).pathname;
    } catch {
      await sleep(RETRY_MS);
    }
  }
}

async function ask(
  dial: () => Promise<Socket>,
  method: string,
  target: string,
): Promise<{ status: number; text: string }> {
  const socket = await dial();
  const answered = new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked = httpRequest(
      { createConnection: () => socket, method, path: target, headers: { Host: "localhost" } },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > LARGEST_REPLY) asked.destroy(new Error("the reply is too large"));
          else chunks.push(chunk);
        });
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 502,
            text: Buffer.concat(chunks).toString("utf8"),
          }),
        );
        response.on("error", reject);
      },
    );
    asked.on("error", reject);
    asked.end();
  });
  try {
    return await within(answered, REQUEST_DEADLINE, "Chromium's DevTools port");
  } finally {
    socket.destroy();
  }
}

function onlyTo(proxy: (socket: Socket) => void): Egress {
  return {
    configure() {},
    accept(socket, { address, port }) {
      if (address === PROXY_ADDRESS && port === PROXY_PORT) proxy(socket);
      else socket.destroy();
    },
    async acceptNamed(socket) {
      socket.destroy();
    },
    async resolve(query) {
      const question = readQuestion(query);
      return question && writeResponse(query, question, { kind: "unknown-name" });
    },
  };
}
