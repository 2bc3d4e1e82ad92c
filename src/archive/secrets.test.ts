import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { secretKind } from "./secrets.ts";

/** As docs/storage.md names the key files that an import leaves behind. */
function documentedKeyFiles(): string[] {
  const text = readFileSync(join(import.meta.dirname, "../../docs/storage.md"), "utf8");
  const [, list = ""] = /key files \(([^)]*)\)/.exec(text) ?? [];
  return [...list.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name.replace("*", "mine"));
}

describe("a key file", () => {
  it("of a name that the documents have stays behind wherever it lies", () => {
    const names = documentedKeyFiles();
    expect(names).toHaveLength(7);
    for (const name of names) {
      expect(secretKind(name)).toBe("private-key");
      expect(secretKind(`workspace/deep/${name}`)).toBe("private-key");
    }
  });

  it.each(["talk.key", "certs/server.key", "certs/client.p12", "id_rsa.pub"])(
    "of any other name is somebody's own work and comes in: %s",
    (name) => expect(secretKind(`workspace/${name}`)).toBeUndefined(),
  );
});
