/** The browser skill, run as from a shell of the sandbox, over a real Chromium. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROJECT_ROOT } from "../../src/build/paths.ts";
import { startBrowserRig, type BrowserRig } from "../support/browser-rig.ts";
import { html, startSite, type Site } from "../support/browser-site.ts";

const SKILL = path.join(PROJECT_ROOT, "container", "skills", "browser");

let rig: BrowserRig;
let site: Site;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "browser-skill-"));
  site = await startSite({
    "/long": (_request, response) =>
      html(response, `<title>Long</title><body style="margin:0"><div style="height:3000px">`),
    "/article": (_request, response) =>
      html(
        response,
        `<title>Article</title><nav>menu</nav><article>what it says</article><a href="/second">on</a>`,
      ),
    "/slow": (_request, response) => {
      response.writeHead(200, { "Content-Type": "text/html" });
      response.write("<title>Slow</title><p>the beginning");
    },
  });
  rig = await startBrowserRig({ private: [`127.0.0.1:${site.port}`] });
});
afterAll(async () => {
  await rig?.close();
  await site?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

interface Said {
  code: number;
  out: string;
  err: string;
}

function browse(args: string[], port = rig.inside): Promise<Said> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [path.join(SKILL, "browse.mjs"), ...args],
      { cwd: folder, env: { PATH: process.env["PATH"], CDP_URL: port }, timeout: 100_000 },
      (_error, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

/** Width and height, as the header of a PNG says them. */
async function size(file: string): Promise<[number, number]> {
  const bytes = await readFile(path.join(folder, file));
  expect(bytes.subarray(1, 4).toString()).toBe("PNG");
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
}

describe("the browser skill", () => {
  test("takes a picture of the window, of the whole page, and a sequence over several pages", async () => {
    const one = await browse(["screenshot", `${site.origin}/long`, "--out", "window.png"]);
    expect(one).toEqual({ code: 0, out: "window.png\tLong\n", err: "" });
    expect(await size("window.png")).toEqual([1280, 800]);
    await browse(["screenshot", `${site.origin}/long`, "--full", "--out", "whole.png"]);
    expect((await size("whole.png"))[1]).toBe(3000);

    const pages = ["/", "/second", "/article"].map((page) => `${site.origin}${page}`);
    const narrow = ["--out", "pictures", "--width", "400", "--height", "300"];
    const sequence = await browse(["screenshot", ...pages, ...narrow]);
    expect(sequence.code).toBe(0);
    const files = (await readdir(path.join(folder, "pictures"))).toSorted();
    expect(files.map((file) => file.slice(0, 2))).toEqual(["01", "02", "03"]);
    expect(await size(path.join("pictures", files[1] ?? ""))).toEqual([400, 300]);
    expect(sequence.out.split("\n").map((line) => line.split("\t")[1])).toEqual([
      "Front",
      "Second",
      "Article",
      undefined,
    ]);
  });

  test("reads text and links, and prints a PDF", async () => {
    const text = await browse(["text", `${site.origin}/article`]);
    expect(text.out).toBe("# Article\n\nwhat it says\n");
    const cut = await browse(["text", `${site.origin}/article`, "--max", "4"]);
    expect(cut.out).toContain("what\n… (8 more)");
    const links = await browse(["links", `${site.origin}/article`]);
    expect(links.out).toBe(`# Article\n${site.origin}/second\ton\n`);
    await browse(["pdf", `${site.origin}/article`, "--out", "page.pdf"]);
    expect((await readFile(path.join(folder, "page.pdf"))).subarray(0, 4).toString()).toBe("%PDF");
  });

  test("says what went wrong with a page and does the others", async () => {
    const pages = ["http://127.0.0.1:8081/", `${site.origin}/nothing`, `${site.origin}/second`];
    const said = await browse(["text", ...pages]);
    expect(said.code).toBe(1);
    expect(said.err).toMatch(/may not open 127\.0\.0\.1.*BROWSER_PRIVATE/);
    expect(said.err).toContain("/nothing answered 404");
    expect(said.out).toContain("# Second");
    const slow = await browse(["text", `${site.origin}/slow`, "--timeout", "4000"]);
    expect(slow.out).toContain("the beginning");
    expect(slow.err).toContain("still loading");
  });

  test("leaves no page and no cookie behind", async () => {
    await browse(["text", `${site.origin}/second`]);
    const told = await fetch(`${rig.inside}/json/list`);
    expect(JSON.stringify(await told.json())).not.toContain("/second");
  });

  test.each([
    [["text"], "no address"],
    [["read", "https://example.org"], "no command read"],
    [["text", "file:///etc/passwd"], "not an http"],
    [["text", "https://example.org", "--max", "many"], "--max is not a number"],
    [["text", "https://example.org", "--nope"], "--nope"],
  ])("%j is refused in words", async (args, words) => {
    const said = await browse(args);
    expect(said).toMatchObject({ code: 1, out: "", err: expect.stringContaining(words) });
  });

  test("says so where there is no browser", async () => {
    const said = await browse(["text", "https://example.org"], "http://127.0.0.1:9");
    expect(said).toMatchObject({ code: 1, err: expect.stringContaining("no browser at") });
  });

  test("is described: every command and option in SKILL.md is one that the program has", async () => {
    const [skill, program] = await Promise.all(
      ["SKILL.md", "browse.mjs"].map((file) => readFile(path.join(SKILL, file), "utf8")),
    );
    const help = /const HELP = `([\s\S]*?)`;/.exec(program ?? "")?.[1] ?? "";
    const described = [...(skill ?? "").matchAll(/\$B (\w+)|(--[a-z]+)/g)].map(
      ([, command, option]) => command ?? option ?? "",
    );
    expect(described.length).toBeGreaterThan(8);
    expect(described.filter((word) => !help.includes(word))).toEqual([]);
  });
});
