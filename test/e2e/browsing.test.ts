/** The real agent at a browser: research over several pages, the skill, and clients in its sandbox. */
import { build } from "esbuild";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { startDemoModel } from "../../src/local/demo-model/server.ts";
import { DEFAULT_AGENT_ID } from "../../src/protocol/names.ts";
import { browserOverview } from "../../src/protocol/browser.ts";
import { html, startSite, type Site } from "../support/browser-site.ts";
import { chromiumPath } from "../support/chromium.ts";
import { createDevice, connectGateway, mustConnect } from "../support/gateway-client.ts";
import { descendants, isAlive } from "../support/process-tree.ts";
import {
  makeStateDir,
  removeStateDir,
  startSystem,
  type RunningSystem,
} from "../support/running-system.ts";

const CDP_SECRET = "planted-cdp-secret-3b1c9d8e7f6a5b4c3d2e";
const SKILL = "node /opt/moltworker/skills/browser/browse.mjs";
const PLANETS = ["Mercury", "Venus", "Mars", "Jupiter", "Saturn"];
const FACTS = PLANETS.map((planet, n) => `${planet} has the number ${4000 + n * 17} in this list`);
const slow = { deadlineMs: 120_000 };

const session = z.object({ gatewayToken: z.string() });
const device = createDevice();
let stateDir: string;
let site: Site;
let system: RunningSystem;
let model: Awaited<ReturnType<typeof startDemoModel>>;
let gatewayToken: string;

beforeAll(async () => {
  stateDir = await makeStateDir();
  const pages = Object.fromEntries(
    PLANETS.map((planet, n) => [
      `/planets/${planet.toLowerCase()}`,
      (_request: unknown, response: Parameters<typeof html>[0]) =>
        html(response, `<title>${planet}</title><article><p>${FACTS[n]}.</p></article>`),
    ]),
  );
  const links = PLANETS.map((planet) => `<a href="/planets/${planet.toLowerCase()}">${planet}</a>`);
  site = await startSite({
    ...pages,
    "/planets": (_request, response) =>
      html(response, `<title>Planets</title><main><h1>Planets</h1>${links.join(" ")}</main>`),
  });
  model = await startDemoModel({ wordMs: 1 });
  system = await startSystem({
    stateDir,
    args: ["--browser", await chromiumPath()],
    env: {
      // A wire format in which a tool may answer with a picture.
      ANTHROPIC_API_KEY: "sk-ant-planted-0f1e2d3c",
      ANTHROPIC_BASE_URL: model.url,
      BROWSER_PRIVATE: `127.0.0.1:${site.port}`,
      CDP_SECRET,
    },
  });
  await system.reach("ready");
  const headers = { Authorization: `Bearer ${system.token}` };
  const told = await fetch(`${system.url}/_moltworker/session`, { headers });
  ({ gatewayToken } = session.parse(await told.json()));
  await connectGateway(connection());
  await system.admin(`/api/devices/${device.id}/approve`, { body: {} });
});
afterAll(async () => {
  await system?.stop();
  await model?.close();
  await site?.close();
  if (stateDir !== undefined) await removeStateDir(stateDir);
});

function connection() {
  return {
    url: `${system.url.replace("http", "ws")}/ws`,
    token: gatewayToken,
    device,
    headers: { Authorization: `Bearer ${system.token}` },
    deadlineMs: 120_000,
  };
}

/** One turn: the demo model calls these tools one after the other and reports what they answered. */
async function ask(...steps: [tool: string, input: object][]): Promise<string> {
  const client = await mustConnect(connection());
  try {
    const lines = steps.map(([tool, input]) => `tool: ${tool} ${JSON.stringify(input)}`);
    return await client.chat(lines.join("\n"), slow);
  } finally {
    client.close();
  }
}

/** The gateway keeps it behind its search for tools, as it does for any model. */
const browse = (args: object): [string, object] => ["tool_call", { id: "browser", args }];
const shell = (command: string) => ask(["exec", { command, yieldMs: 120_000 }]);
const home = () => path.join(stateDir, "sandbox", DEFAULT_AGENT_ID, "home");
const overview = async () => browserOverview.parse(await system.admin("/api/browser"));

describe("the agent", () => {
  test("researches: lists, opens five pages, takes a picture of each, extracts, reports", async () => {
    const targetUrl = `${site.origin}/planets`;
    const listed = await ask(
      browse({ action: "open", targetUrl }),
      browse({ action: "snapshot", urls: true }),
    );
    const found = [...listed.matchAll(/\[url=([^\]]+\/planets\/[a-z]+)\]/g)].map(([, url]) => url);
    expect(found).toEqual(PLANETS.map((planet) => `${targetUrl}/${planet.toLowerCase()}`));
    const facts: string[] = [];
    // A turn for each page: the demo model quotes in full what every tool answered.
    for (const url of found) {
      const read = await ask(
        browse({ action: "navigate", targetUrl: url }),
        browse({ action: "screenshot" }),
        browse({ action: "text" }),
      );
      facts.push(/[A-Z][a-z]+ has the number \d+ in this list/.exec(read)?.[0] ?? read);
    }
    expect(facts).toEqual(FACTS);
    await ask(["write", { path: "report.md", content: facts.join("\n") }]);
    const report = path.join(home(), ".openclaw", "workspace", "report.md");
    expect(await readFile(report, "utf8")).toBe(FACTS.join("\n"));
    for (const planet of PLANETS) expect(site.asked).toContain(`/planets/${planet.toLowerCase()}`);
    // Five pictures, where the agent keeps what it shows.
    const media = path.join(home(), ".openclaw", "media");
    const kept = await readdir(media, { recursive: true });
    expect(kept.filter((name) => /\.(?:png|jpe?g|webp)$/.test(name)).length).toBeGreaterThanOrEqual(
      5,
    );

    const told = await overview();
    expect(told.sessions).toMatchObject([{ holder: "agent", from: "" }]);
    expect(told.usedTodayMs).toBeGreaterThan(0);
  });

  test("may not open what lies in the private network, by the browser tool or by CDP", async () => {
    const refused = await ask(
      browse({ action: "open", targetUrl: "http://169.254.169.254/latest/meta-data/" }),
    );
    expect(refused).toMatch(/block|denied|private|not allowed/i);
    const said = await shell(`${SKILL} text http://169.254.169.254/latest/meta-data/ 2>&1; true`);
    expect(said).toContain("may not open");
  });

  test("has the skill: pictures over several pages, text, links, PDF", async () => {
    const all = PLANETS.map((planet) => `${site.origin}/planets/${planet.toLowerCase()}`);
    const commands = [
      `${SKILL} screenshot ${all.join(" ")} --out shots`,
      "file shots/*",
      `${SKILL} links ${site.origin}/planets`,
      `${SKILL} text ${all[2]}`,
      `${SKILL} pdf ${all[0]} --out one.pdf && file one.pdf`,
    ];
    const said = await shell(`cd /tmp && ${commands.join(" && ")}`);
    expect(said.match(/PNG image data, 1280 x 800/g)).toHaveLength(5);
    expect(said).toContain(`${site.origin}/planets/saturn\tSaturn`);
    expect(said).toContain(FACTS[2]);
    expect(said).toMatch(/one\.pdf: +PDF document/);
    const listed = await system.admin("/api/status");
    expect(listed).toMatchObject({ phase: "ready" });
  });
});

describe("clients in the sandbox", () => {
  beforeAll(async () => {
    const folder = path.join(home(), "clients");
    await mkdir(folder, { recursive: true, mode: 0o755 });
    // The one library is the gateway's own, where the image has it; the other comes along.
    const theirs = "/opt/openclaw/node_modules/playwright-core/index.mjs";
    const bundled = await build({
      entryPoints: [path.join(import.meta.dirname, "../support/browser-inside.ts")],
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "node24",
      logLevel: "silent",
      alias: { "playwright-core": theirs },
      external: [theirs],
      banner: {
        js: `import { createRequire as requireFor } from "node:module"; const require = requireFor(import.meta.url);`,
      },
    });
    await writeFile(path.join(folder, "client.mjs"), bundled.outputFiles[0]?.text ?? "");
  });

  test.each(["playwright", "puppeteer"])(
    "%s-core does all of it at 127.0.0.1:9222",
    async (name) => {
      const given = `${name} http://127.0.0.1:9222 ${site.origin}`;
      const said = await shell(`node /home/agent/clients/client.mjs ${given} 2>&1`);
      const [, outcome = said] = /OUTCOME (\{.*\})/.exec(said) ?? [];
      expect(outcome).toMatch(/^\{/);
      expect(JSON.parse(outcome)).toEqual({
        typed: "hello Ada",
        intercepted: "mine",
        screenshot: true,
        pdf: true,
        up: 20 * 1024 * 1024,
        down: 20 * 1024 * 1024,
        download: "completed",
        worker: "from the worker",
        contexts: [1, 1],
        again: "Second",
        hostname: "moltworker",
      });
    },
  );
});

test("a program outside has a session of its own, and what it types is in no log", async () => {
  const browser = await chromium.connectOverCDP(`${system.url}/cdp`, {
    headers: { "X-CDP-Secret": CDP_SECRET },
  });
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${site.origin}/?question=asked-7714`);
  await page.fill("#name", "typed-password-8821");
  await page.click("#go");
  expect(await page.title()).toBe("hello typed-password-8821");
  const told = await overview();
  expect(told.outside).toBe(true);
  expect(told.sessions.map(({ holder }) => holder).toSorted()).toEqual(["agent", "outside"]);
  await browser.close();
  const logs = await Promise.all(
    ["gateway", "supervisor"].map((source) => system.admin(`/api/logs?source=${source}`)),
  );
  const said = JSON.stringify([system.events, logs, told, await system.admin("/api/audit")]);
  for (const secret of ["typed-password-8821", "asked-7714", CDP_SECRET]) {
    expect(said).not.toContain(secret);
  }
});

test("the agent's browser ends with the agent, and all of them with the system", async () => {
  await system.admin("/api/agent/stop", { body: {} });
  await system.reach("stopped");
  await expect
    .poll(async () => (await overview()).sessions.map(({ holder }) => holder), { timeout: 30_000 })
    .toEqual(["outside"]);
  const below = descendants(system.process.pid ?? 0);
  const browsers = below.filter(({ command }) => command.includes("--user-data-dir=/tmp/profile"));
  expect(browsers.length).toBeGreaterThan(0);
  expect(await system.stop()).toBe(0);
  await expect.poll(() => browsers.filter(({ pid }) => isAlive(pid))).toEqual([]);
});
