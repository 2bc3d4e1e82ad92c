import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import vm from "node:vm";
import { expect, test } from "vitest";
import { PAGES, STATIC_FILES, STATIC_FOLDERS } from "./pages.ts";
import { bootstrapScript } from "./strip.ts";

const PACKAGE = path.join(
  import.meta.dirname,
  "../../../container/node_modules/openclaw/dist/control-ui",
);
/** Served by the gateway only, or refused on purpose. */
const NOT_SERVED = new Set(["asset-manifest.json", "index.html", "sw.js"]);

test("every file and folder of the pinned package is served or left out on purpose", async () => {
  const entries = await readdir(PACKAGE, { withFileTypes: true });
  const names = entries
    .map((entry) => entry.name)
    .filter((name) => !/\.(br|gz|map)$/.test(name) && !NOT_SERVED.has(name));
  const served = [...STATIC_FILES.map((file) => file.slice(1)), ...STATIC_FOLDERS];
  expect(names.sort()).toEqual(served.sort());
});

test("every page of the pinned package's own route table is one here", async () => {
  const assets = path.join(PACKAGE, "assets");
  let table: string | undefined;
  for (const name of await readdir(assets)) {
    if (!name.endsWith(".js")) continue;
    const text = await readFile(path.join(assets, name), "utf8");
    table = /\{settings:\{path:`\/settings`\},chat:\{path:`\/chat`\}.*?\}\}/s.exec(text)?.[0];
    if (table !== undefined) break;
  }
  const paths = [...(table ?? "").matchAll(/`\/([a-z0-9-]+)/g)].map((match) => match[1] ?? "");
  expect(paths.length).toBeGreaterThan(40);
  const known = new Set<string>([...PAGES, "debug"]);
  expect([...new Set(paths)].filter((page) => !known.has(page))).toEqual([]);
});

test("the bootstrap script hands over the token and drops every way to another gateway", () => {
  const token = `in"ner</script>`;
  const replaced: string[] = [];
  const page = {
    URL,
    URLSearchParams,
    location: {
      href: "https://h/chat?gatewayUrl=wss://evil&x=1#gatewayUrl=wss://evil&token=bad&a=b",
    },
    history: {
      state: null,
      replaceState: (_state: unknown, _title: string, url: URL) => replaced.push(url.href),
    },
    navigator: { language: "zh-CN" },
    document: { addEventListener: () => {} },
    WebSocket: EventTarget,
    EventSource: class {
      addEventListener(): void {}
    },
  };
  const script = bootstrapScript({ agentId: "main", gatewayToken: token });
  expect(script).not.toContain("</script");
  vm.runInNewContext(script, page);
  const url = new URL(replaced[0] ?? "");
  expect(url.search).toBe("?x=1");
  const fragment = new URLSearchParams(url.hash.slice(1));
  expect(Object.fromEntries(fragment)).toEqual({ a: "b", token });
});
