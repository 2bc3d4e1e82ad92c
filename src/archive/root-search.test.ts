import { describe, expect, it } from "vitest";
import { survey } from "./survey.ts";
import { TAR_END, tarHeader } from "./tar-writer.ts";

/** A name with a slash at its end is a folder's. */
async function look(paths: readonly string[]) {
  const headers = paths.map((path) => {
    const folder = path.endsWith("/");
    const rest = { size: 0, mode: folder ? 0o700 : 0o600, modified: 0 };
    return tarHeader({ path, type: folder ? "folder" : "file", ...rest });
  });
  const bytes = Buffer.concat([...headers, TAR_END]);
  return survey(async function* () {
    yield bytes;
  }, bytes.length);
}

const NESTED = "workspace/repo/.openclaw/settings.json";

describe("the state folder of an archive", () => {
  it.each([
    ["its config", ["moltbot.json", NESTED, "media/x"]],
    ["its agents", [NESTED, "agents/main/sessions/a.jsonl"]],
    ["its own state", [NESTED, "state/openclaw.sqlite", "agents/x/.clawdbot/openclaw.json"]],
    ["nothing but a workspace", ["workspace/MEMORY.md", NESTED]],
    ["a tool's settings beside the rest", [".openclaw/settings.json", "agents/main/a"]],
    ["a whole state below", ["openclaw.json", "workspace/x/.openclaw/agents/main/a"]],
  ])("is all of it, where it begins inside of one with %s", async (_, paths) => {
    expect(await look(paths)).toMatchObject({ ok: true, report: { root: "" } });
    expect(await look(paths.toReversed())).toMatchObject({ ok: true, report: { root: "" } });
  });

  it.each([
    ["b/.moltbot", "one below", ["b/.moltbot/moltbot.json", `b/.moltbot/${NESTED}`]],
    ["b/.moltbot", "one deeper", ["b/.moltbot/moltbot.json", "b/x/.moltbot/moltbot.json"]],
    ["b/.moltbot", "a newer name deeper", ["b/.moltbot/agents/a/b", "b/x/.openclaw/agents/a/b"]],
    ["b/.openclaw", "an older name beside it", ["b/.moltbot/agents/a", "b/.openclaw/agents/a"]],
    ["h/me/.moltbot", "settings less deep", ["h/.openclaw/x.json", "h/me/.moltbot/moltbot.json"]],
    [".moltbot", "a home folder around it", [".moltbot/moltbot.json", "agents/a", "state/b"]],
    ["root/.moltbot", "a workspace beside it", ["root/.moltbot/agents/a", "workspace/MEMORY.md"]],
    ["b/.moltbot", "nothing that a state has", ["b/.moltbot/x", "b/c/.moltbot/y"]],
    ["state/me/.moltbot", "folders on the way", ["state/", "state/me/", "state/me/.moltbot/x"]],
  ])("is %j with %s", async (root, _, paths) => {
    expect(await look(paths)).toMatchObject({ ok: true, report: { root } });
    expect(await look(paths.toReversed())).toMatchObject({ ok: true, report: { root } });
  });

  it.each([
    ["as states", ["a/.moltbot/agents/x", "b/.moltbot/agents/x", "c/d/.openclaw/agents/x"]],
    ["with other folders", ["a/.moltbot/x", "b/.moltbot/x", "c/d/.moltbot/x"]],
  ])("is none of two at the same depth %s", async (_, paths) => {
    const message = "it holds two states: a/.moltbot and b/.moltbot";
    expect(await look(paths)).toEqual({ ok: false, reason: "refused", message });
  });

  it("has to be there", async () => {
    expect(await look(["home/me/notes"])).toMatchObject({
      message: "it holds no .openclaw, no .moltbot, no .clawdbot",
    });
  });

  it("keeps all that lies beside what only has its name", async () => {
    const paths = ["moltbot.json", "workspace/MEMORY.md", NESTED, "agents/main/sessions/a.jsonl"];
    expect(await look(paths)).toMatchObject({
      report: {
        files: 3,
        taken: [
          { path: "workspace", files: 2 },
          { path: "agents", files: 1 },
        ],
        skipped: [{ path: ".openclaw/moltbot.json", why: "config" }],
      },
    });
  });
});
