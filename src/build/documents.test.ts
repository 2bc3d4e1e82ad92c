import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { SETTINGS } from "../worker/config/settings.ts";
import { CHINESE_SETTINGS } from "../protocol/settings-chinese.ts";
import { DOCUMENTS, fillDocument } from "./documents.ts";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");
const manifest = z.object({
  scripts: z.record(z.string(), z.string()).default({}),
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});
const packageJson = (file: string) => manifest.parse(JSON.parse(read(file)));

describe("the documents tell the truth", () => {
  test.each(DOCUMENTS)("%s holds what the data says", (file) => {
    expect(fillDocument(read(file))).toBe(read(file));
  });

  test("an unknown generated part is an error", () => {
    expect(() => fillDocument("<!-- generated:nope -->\n<!-- /generated -->")).toThrow("nope");
  });

  test("every setting has a Chinese description and no description is left over", () => {
    expect(Object.keys(CHINESE_SETTINGS).toSorted()).toEqual(
      SETTINGS.map((setting) => setting.name).toSorted(),
    );
  });

  test("docs/dependencies.md names every dependency and no other", () => {
    const rows = read("docs/dependencies.md")
      .split("\n")
      .filter((line) => line.startsWith("| `"));
    const named = rows.flatMap((row) =>
      [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map((match) => match[1]),
    );
    const project = packageJson("package.json");
    const wanted = [
      ...Object.keys(project.dependencies),
      ...Object.keys(project.devDependencies),
      ...Object.keys(project.optionalDependencies),
      ...Object.keys(packageJson("container/package.json").dependencies),
    ];
    expect(named.toSorted()).toEqual(wanted.toSorted());
  });

  test("docs/storage.md names every table that the code makes", () => {
    const sources = readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .map((file) => read(path.join("src", file)));
    const tables = sources.flatMap((text) =>
      [...text.matchAll(/CREATE TABLE (?:IF NOT EXISTS )?(\w+)/g)].map((match) => match[1] ?? ""),
    );
    expect(tables.length).toBeGreaterThan(5);
    const documented = read("docs/storage.md");
    expect(tables.filter((table) => !documented.includes(`\`${table}\``))).toEqual([]);
  });

  test("every link of a document leads to a file", () => {
    const folders = ["", "docs/"];
    const files = folders.flatMap((folder) =>
      readdirSync(path.join(root, folder))
        .filter((name) => name.endsWith(".md"))
        .map((name) => `${folder}${name}`),
    );
    const links = files.flatMap((file) =>
      [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, to = ""]) => ({ file, to })),
    );
    expect(links.length).toBeGreaterThan(20);
    const lost = links.filter(
      ({ file, to }) => !existsSync(path.join(root, path.dirname(file), to)),
    );
    expect(lost).toEqual([]);
  });

  test("SECURITY.md says how to rotate every secret that can be set", () => {
    const [, table = ""] = read("SECURITY.md").split("## Rotating secrets");
    const secrets = SETTINGS.filter(({ secret }) => secret).map(({ name }) => name);
    expect(secrets.length).toBeGreaterThan(10);
    expect(secrets.filter((name) => !table.includes(`\`${name}\``))).toEqual([]);
  });

  test("every `npm run` command in the documents exists", () => {
    const scripts = packageJson("package.json").scripts;
    const files = [...DOCUMENTS, "CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md"];
    const used = files.flatMap((file) =>
      [...read(file).matchAll(/npm run ([a-z:-]+)/g)].map((match) => match[1] ?? ""),
    );
    expect(used.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });
});
