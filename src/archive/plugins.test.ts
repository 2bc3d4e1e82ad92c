import { join } from "node:path";
import { expect, it } from "vitest";
import { survey } from "./survey.ts";
import { TAR_END, tarHeader, tarPadding } from "./tar-writer.ts";

function entry(path: string, content: string): Uint8Array[] {
  const bytes = new TextEncoder().encode(content);
  const head = { type: "file", size: bytes.length, mode: 0o600, modified: 0 } as const;
  return [tarHeader({ ...head, path: join(".openclaw", path) }), bytes, tarPadding(bytes.length)];
}

async function look(...entries: Uint8Array[][]) {
  const bytes = Buffer.concat([...entries.flat(), TAR_END]);
  const found = await survey(async function* () {
    yield bytes;
  }, bytes.length);
  if (!found.ok) throw new Error(found.message);
  return found.report;
}

it("plugins of the install are to be set up again: from the config, npm and its own folder", async () => {
  const config = { plugins: { entries: { voice: {}, off: { enabled: false } } } };
  const { relink, skipped } = await look(
    entry("openclaw.json", JSON.stringify(config)),
    entry("npm/projects/slack-1a2b/package.json", '{"dependencies":{"@openclaw/slack":"1.0.0"}}'),
    entry("npm/projects/slack-1a2b/node_modules/x/index.js", "x"),
    entry("npm/projects/broken/package.json", "{"),
    entry("extensions/mine/index.js", "x"),
    entry("extensions/mine/openclaw.plugin.json", "{}"),
    entry("extensions/README.md", "no plugin"),
    entry("../other/extensions/no/plugin", "x"),
  );
  expect(relink).toEqual([
    { what: "devices" },
    { what: "plugin", name: "voice" },
    { what: "plugin", name: "@openclaw/slack" },
    { what: "plugin", name: "mine" },
  ]);
  expect(skipped).toContainEqual({
    ...{ path: ".openclaw/npm/projects/slack-1a2b/node_modules/x/index.js", why: "regenerated" },
  });
});

it("a config that says something else of plugins says nothing", async () => {
  for (const config of ["{plugins: {}}", '{"plugins":{"entries":["a"]}}', '"x"']) {
    expect((await look(entry("openclaw.json", config))).relink).toEqual([{ what: "devices" }]);
  }
});
