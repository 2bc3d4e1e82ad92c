import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  array,
  assert,
  asyncProperty,
  integer,
  nat,
  oneof,
  stringMatching,
  tuple,
  uint8Array,
  uniqueArray,
} from "fast-check";
import { pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import { Intake, INTAKE_LIMITS } from "./import-rules.ts";
import { survey } from "./survey.ts";
import { readTar } from "./tar-reader.ts";
import { TAR_END, tarHeader, tarPadding } from "./tar-writer.ts";

type Given = Parameters<ReturnType<typeof pack>["entry"]>[0] & { content?: string };

/** With an implementation of tar that is not the one under test. */
async function tarOf(entries: readonly Given[]): Promise<Uint8Array> {
  const tar = pack();
  for (const { content = "", ...head } of entries) {
    const plain = head.type === undefined || head.type === "file";
    if (plain) tar.entry(head, content);
    else tar.entry(head);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** In pieces of a size that no header and no content keeps to. */
function pieces(bytes: Uint8Array, size = 333) {
  return async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
}

const look = async (entries: readonly Given[]) => {
  const bytes = await tarOf(entries);
  return survey(pieces(bytes), bytes.length);
};

const ORDINARY: Given[] = [
  { name: "home/me/.moltbot/", type: "directory" },
  { name: "home/me/.moltbot/workspace/MEMORY.md", content: "I like tea" },
  { name: "home/me/.moltbot/agents/main/sessions/a.jsonl", content: "{}" },
];

describe("an ordinary archive", () => {
  it("is described: what comes in, what does not, which secrets stay behind, what to link again", async () => {
    const config = JSON.stringify({
      gateway: { auth: { token: "shh" } },
      channels: { telegram: { botToken: "12:shh" }, slack: { appToken: "${SLACK_APP_TOKEN}" } },
    });
    const found = await look([
      ...ORDINARY,
      { name: "home/me/.moltbot/moltbot.json", content: config },
      { name: "home/me/.moltbot/.env", content: "KEY=shh" },
      { name: "home/me/.moltbot/credentials/whatsapp/creds.json", content: "{}" },
      { name: "home/me/.moltbot/agents/main/agent/auth-profiles.json", content: "{}" },
      { name: "home/me/.moltbot/logs/gateway.log", content: "x" },
      { name: "home/me/.moltbot/workspace/link", type: "symlink", linkname: "MEMORY.md" },
      { name: "home/me/.bashrc", content: "x" },
    ]);
    expect(found).toEqual({
      ok: true,
      report: {
        root: "home/me/.moltbot",
        files: 2,
        bytes: 12,
        taken: [
          { path: "workspace", files: 1, bytes: 10 },
          { path: "agents", files: 1, bytes: 2 },
        ],
        skipped: [
          { path: ".openclaw/moltbot.json", why: "config" },
          { path: ".openclaw/.env", why: "secret" },
          { path: ".openclaw/credentials/whatsapp/creds.json", why: "secret" },
          { path: ".openclaw/agents/main/agent/auth-profiles.json", why: "secret" },
          { path: ".openclaw/logs/gateway.log", why: "regenerated" },
          { path: "home/me/.bashrc", why: "outside" },
        ],
        skippedFiles: 6,
        secrets: [
          { path: ".openclaw/moltbot.json#gateway.auth.token", kind: "config" },
          { path: ".openclaw/moltbot.json#channels.telegram.botToken", kind: "config" },
          { path: ".openclaw/.env", kind: "environment" },
          { path: ".openclaw/credentials/whatsapp/creds.json", kind: "credentials" },
          { path: ".openclaw/agents/main/agent/auth-profiles.json", kind: "model-login" },
        ],
        relink: [
          { what: "devices" },
          { what: "channel", name: "telegram" },
          { what: "channel", name: "slack" },
          { what: "channel", name: "whatsapp" },
          { what: "models" },
        ],
      },
    });
    expect(JSON.stringify(found)).not.toContain("shh");
  });

  it.each([
    [".openclaw", ".openclaw/workspace/a"],
    ["root/.clawdbot", "root/.clawdbot/workspace/a"],
    ["b/payload/posix/home/me/.openclaw", "b/payload/posix/home/me/.openclaw/workspace/a"],
    ["", "./workspace/a"],
  ])("is recognised by its state folder: %s", async (root, name) => {
    expect(await look([{ name, content: "1" }])).toMatchObject({
      ok: true,
      report: { root, files: 1 },
    });
  });

  it("is read as the tar of the system writes it, long and foreign names included", async () => {
    const folder = mkdtempSync(join(tmpdir(), "survey-"));
    try {
      const names = ["a", `${"long/".repeat(40)}name`, "käse/文件", "x".repeat(200)];
      for (const name of names) {
        const file = join(folder, ".openclaw/workspace", name);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, name);
      }
      symlinkSync("a", join(folder, ".openclaw/workspace/link"));
      for (const format of ["gnu", "pax", "posix"]) {
        execFileSync("tar", ["--format", format, "-cf", "all.tar", ".openclaw"], { cwd: folder });
        const bytes = readFileSync(join(folder, "all.tar"));
        const read: Record<string, string> = {};
        for await (const entry of readTar(pieces(bytes)())) {
          let text = "";
          for await (const chunk of entry.body()) text += Buffer.from(chunk).toString();
          if (entry.type === "file") read[entry.path.slice(".openclaw/workspace/".length)] = text;
        }
        expect(read).toEqual(Object.fromEntries(names.map((name) => [name, name])));
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("a link", () => {
  const decided = async (name: string, linkname: string) => {
    const bytes = await tarOf([{ name: `.moltbot/${name}`, type: "symlink", linkname }]);
    const intake = new Intake(bytes.length);
    for await (const entry of readTar(pieces(bytes)())) {
      return intake.decide(entry, intake.inspect(entry), ".moltbot").do;
    }
    return undefined;
  };

  it.each([
    ["workspace/a/l", "b"],
    ["workspace/a/l", "../../media/./b"],
    ["workspace-two/l", ".."],
  ])("that stays inside the state comes in: %s to %s", async (name, target) => {
    expect(await decided(name, target)).toBe("link");
  });

  it.each([
    ["of the state folder itself", "workspace", "media"],
    ["of the gateway's", "state/openclaw.sqlite", "../workspace/x"],
    ["out of the state folder", "workspace/l", "../../x"],
    ["up again behind another link", "workspace/a/l", "up/../../.."],
    ["with a forbidden character", "workspace/l", "a\nb"],
    ["in place of a secret", "workspace/.env", "b"],
  ])("%s does not", async (_, name, target) => {
    expect(await decided(name, target)).toBe("skip");
  });
});

const HOSTILE: [string, Given, RegExp][] = [
  ["traversal", { name: ".moltbot/../../etc/cron.d/x", content: "x" }, /etc\/cron\.d\/x leads out/],
  ["an absolute path", { name: "/etc/passwd", content: "x" }, /\/etc\/passwd is an absolute path/],
  [
    "a link that leads out",
    { name: ".moltbot/w", type: "symlink", linkname: "/etc" },
    /\.moltbot\/w is a link that leads out: \/etc/,
  ],
  [
    "a link that climbs out",
    { name: ".moltbot/w", type: "symlink", linkname: "../../x" },
    /\.moltbot\/w is a link that leads out/,
  ],
  [
    "a hard link",
    { name: ".moltbot/h", type: "link", linkname: "/etc/shadow" },
    /\.moltbot\/h is a hard link/,
  ],
  ["a device", { name: ".moltbot/d", type: "character-device" }, /\.moltbot\/d is a device/],
  ["a block device", { name: ".moltbot/d", type: "block-device" }, /\.moltbot\/d is a device/],
  ["a pipe", { name: ".moltbot/p", type: "fifo" }, /\.moltbot\/p is a pipe/],
  [
    "another owner",
    { name: ".moltbot/workspace/root's", uid: 4711, content: "x" },
    /root's belongs to user 4711/,
  ],
  [
    "other rights",
    { name: ".moltbot/workspace/su", mode: 0o4755, content: "x" },
    /su would run with other rights/,
  ],
  [
    "a forbidden character",
    { name: ".moltbot/workspace/a\nb", content: "x" },
    /a\\nb" has a forbidden character/,
  ],
  [
    "one name twice",
    { name: ".moltbot/./workspace//MEMORY.md", content: "x" },
    /MEMORY.md is there twice/,
  ],
  [
    "something below a link",
    { name: ".moltbot/workspace/MEMORY.md/x", type: "symlink", linkname: "y" },
    /MEMORY.md\/x lies below a file/,
  ],
  [
    "a folder that is a file",
    { name: ".moltbot/workspace/MEMORY.md/x", content: "x" },
    /MEMORY.md\/x lies below a file/,
  ],
];

describe("a hostile archive", () => {
  const file = (name: string) => ({ name: `.moltbot/workspace/n/${name}`, content: name });
  const honest = uniqueArray(stringMatching(/^[a-z0-9]{1,8}$/), { maxLength: 12 }).map((names) =>
    [{ name: ".moltbot/workspace/MEMORY.md", content: "1" }].concat(names.map(file)),
  );

  it.each(HOSTILE)(
    "with %s is refused by the entry's name, wherever it stands",
    async (_, bad, says) => {
      await assert(
        asyncProperty(honest, nat(), async (entries, at) => {
          const where = 1 + (at % entries.length);
          const found = await look([...entries.slice(0, where), bad, ...entries.slice(where)]);
          expect(found).toMatchObject({ ok: false, reason: "refused" });
          expect(found.ok ? "" : found.message).toMatch(says);
        }),
        { numRuns: 25 },
      );
    },
  );

  it("that unpacks to more than its size can mean is refused at the entry that goes too far", async () => {
    const bytes = await tarOf([
      { name: ".moltbot/workspace/a", content: "a".repeat(600) },
      { name: ".moltbot/workspace/bomb", content: "b".repeat(600) },
    ]);
    const limits = { ...INTAKE_LIMITS, bytes: 1000 };
    const found = await survey(pieces(bytes), bytes.length, limits);
    expect(found.ok ? "" : found.message).toMatch(/^\.moltbot\/workspace\/bomb unpacks to more/);
    const many = await survey(pieces(bytes), bytes.length, { ...INTAKE_LIMITS, entries: 1 });
    expect(many.ok ? "" : many.message).toMatch(
      /^\.moltbot\/workspace\/bomb is one entry too many/,
    );
  });

  it("that claims a large size with few bytes behind it is refused before anything is read", async () => {
    const head = tarHeader({
      ...{ path: ".moltbot/workspace/huge", type: "file", mode: 0o600, modified: 0 },
      size: 500 * 1024 ** 3,
    });
    const found = await survey(pieces(head), head.length);
    expect(found.ok ? "" : found.message).toMatch(/workspace\/huge unpacks to more/);
  });

  it("of any bytes, or of a real one with bytes changed, ends in an answer", async () => {
    const real = await tarOf(ORDINARY);
    const changed = array(tuple(nat(real.length - 1), integer({ min: 0, max: 255 })), {
      minLength: 1,
    }).map((changes) => {
      const copy = Uint8Array.from(real);
      for (const [at, byte] of changes) copy[at] = byte;
      return copy;
    });
    const cut = nat(real.length - 1025).map((length) => real.subarray(0, length));
    await assert(
      asyncProperty(oneof(uint8Array({ maxLength: 4000 }), changed, cut), async (bytes) => {
        const found = await survey(pieces(bytes), bytes.length);
        const answered = found.ok ? found.report.files <= 2 : found.message !== "";
        expect(answered).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("cut short is refused, never taken for a whole one", async () => {
    const real = await tarOf(ORDINARY);
    for (let length = 0; length < real.length - 1024; length += 97) {
      expect((await survey(pieces(real.subarray(0, length)), length)).ok).toBe(false);
    }
  });
});

describe("a written archive", () => {
  it("is what the tar of the system reads", () => {
    const folder = mkdtempSync(join(tmpdir(), "tar-writer-"));
    try {
      const names = ["a", `${"long/".repeat(60)}name`, "käse/文件".repeat(12), "y".repeat(150)];
      const blocks = names.flatMap((path) => {
        const content = Buffer.from(path);
        const head = { path, type: "file" as const, mode: 0o640, modified: 1_700_000_000 };
        const size = content.length;
        return [tarHeader({ ...head, size }), content, tarPadding(size)];
      });
      const link = { path: "l", type: "link" as const, size: 0, mode: 0o777, modified: 0 };
      blocks.push(tarHeader({ ...link, target: "z".repeat(180) }), TAR_END);
      writeFileSync(join(folder, "x.tar"), Buffer.concat(blocks));
      const listed = execFileSync("tar", ["-tvf", "x.tar", "--quoting-style=literal"], {
        cwd: folder,
        encoding: "utf8",
      });
      for (const name of names) expect(listed).toContain(` ${name}\n`);
      expect(listed).toContain(`l -> ${"z".repeat(180)}`);
      execFileSync("tar", ["-xf", "x.tar"], { cwd: folder });
      for (const name of names) expect(readFileSync(join(folder, name), "utf8")).toBe(name);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
