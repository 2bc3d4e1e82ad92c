import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decidePath } from "./paths.ts";

describe("decidePath", () => {
  it.each([
    "/tools/invoke",
    "/tools/invoke/",
    "/tools/invoke?x=1",
    "/TOOLS/Invoke",
    "/tools/%69nvoke",
    "/tools/%2569nvoke",
    "/tools%2finvoke",
    "//tools/invoke",
    "/tools//invoke",
    "/./tools/invoke",
    "/x/../tools/invoke",
    "/x/%2e%2e/tools/invoke",
    "/tools/./invoke",
    "/tools\\invoke",
    "/tools%5Cinvoke",
    "/tools;a=b/invoke",
    "/tools/invoke%20",
    "/tools/invoke%00",
    "/v1",
    "/v1/models",
    "/v1/chat/completions",
    "/%76%31/chat/completions",
    "/api/v1/admin/rpc",
    "/api/v1/admin/%72pc",
    "/api//v1/admin/rpc",
    "/sessions/agent%3Amain%3Amain/history",
    "/sessions/x/kill",
    "/__openclaw__/worker",
    "/__openclaw__/worker-bootstrap/x",
  ])("closes %s", (target) => {
    expect(decidePath(target)).toMatchObject({ ok: false, reason: "closed", status: 404 });
  });

  it.each([
    "//healthz",
    "/a/./b",
    "/a/../b",
    "/a/%2e%2e/b",
    "/a%2Fb",
    "/a%5cb",
    "/a\\b",
    "/a%00",
    "/a%0d%0aX: y",
  ])("refuses %s, which can be read in two ways", (target) => {
    expect(decidePath(target)).toMatchObject({ ok: false, status: 400 });
  });

  it.each(["", "x", "*", "http://elsewhere/x", "/%", "/%zz", "/a b", "/\u00e4", "/a#b"])(
    "refuses %s, which is no path",
    (target) => {
      expect(decidePath(target)).toMatchObject({ ok: false, reason: "malformed", status: 400 });
    },
  );

  it.each([
    "/",
    "/?token=a/../b",
    "/healthz",
    "/assets/index-Bx3.js",
    "/v10/x",
    "/tools/invoked",
    "/api/v1/other",
    "/100%25.png",
    "/__openclaw__/canvas/index.html?v=1",
    "/sessions/x",
    "/a%20b/c%3Ad",
  ])("passes %s on as it is", (target) => {
    expect(decidePath(target)).toEqual({ ok: true, path: target });
  });

  it("closes a closed path however its letters are encoded and cased", () => {
    const spelled = fc
      .constantFrom("/tools/invoke", "/v1/models", "/api/v1/admin/rpc")
      .chain((path) =>
        fc.tuple(...[...path].map((letter) => fc.constantFrom(...spellings(letter)))),
      )
      .map((letters) => letters.join(""));
    fc.assert(
      fc.property(spelled, (target) => {
        expect(decidePath(target)).toMatchObject({ ok: false, reason: "closed" });
      }),
    );
  });
});

function spellings(letter: string): string[] {
  // The first one of a path is not to be spelled otherwise; the rest is in the table above.
  if (letter === "/") return [letter];
  const hex = letter.charCodeAt(0).toString(16);
  return [letter, letter.toUpperCase(), `%${hex}`, `%${hex.toUpperCase()}`, `%25${hex}`];
}
