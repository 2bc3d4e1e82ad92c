/** Small archives that would take much to read. */
import { expect, it } from "vitest";
import { INTAKE_LIMITS } from "./import-rules.ts";
import { survey } from "./survey.ts";
import { TAR_END, tarHeader } from "./tar-writer.ts";

const fileAt = (path: string) =>
  tarHeader({ path: `.moltbot/${path}`, type: "file", size: 0, mode: 0o600, modified: 0 });

/** The same block as another kind of header. */
function ofKind(kind: string, block: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(block);
  changed[156] = kind.charCodeAt(0);
  changed.fill(32, 148, 156);
  const sum = changed.reduce((all, byte) => all + byte, 0);
  changed.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0`), 148);
  return changed;
}

async function look(blocks: Uint8Array[], limits: Partial<typeof INTAKE_LIMITS> = {}) {
  const bytes = Buffer.concat([...blocks, TAR_END]);
  const found = await survey(
    async function* () {
      yield bytes;
    },
    bytes.length,
    { ...INTAKE_LIMITS, ...limits },
  );
  return found.ok ? "taken" : found.message;
}

const files = Array.from({ length: 10 }, (_, i) => fileAt(`${`${i}/`.repeat(40)}x`));

it("folders that are only in the names of others count as entries", async () => {
  expect(await look(files)).toBe("taken");
  expect(await look(files, { entries: 100 })).toMatch(/^\.moltbot\/.*x is one name too many/);
});

it("names have a sum of their own", async () => {
  expect(await look(files, { names: 5000 })).toMatch(/is one name too many/);
});

it("extended headers count like content", async () => {
  const long = fileAt(`workspace/${"long/".repeat(50)}x`);
  expect(await look([long])).toBe("taken");
  expect(await look([long], { bytes: 700 })).toMatch(/unpacks to more/);
});

it.each(["g", "L", "K", "x"])("headers of kind %s come to an end", async (kind) => {
  const header = ofKind(kind, fileAt("a"));
  const few = Array.from({ length: 8 }, () => header);
  expect(await look([...few, fileAt("b")])).not.toMatch(/too many/);
  expect(await look([...few, header, fileAt("b")])).toMatch(/too many extended headers/);
});

it("of many places that a state could lie at no list is kept", async () => {
  const at = (path: string) => ({ path, type: "file", size: 0, mode: 0o600, modified: 0 }) as const;
  const blocks = ["a", "b", "a", "c"].map((place) => tarHeader(at(`${place}/.moltbot/x`)));
  expect(await look(blocks)).toBe("it holds two states: a/.moltbot and b/.moltbot");
});
