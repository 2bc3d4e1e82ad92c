import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readPath } from "./path.ts";
import { matchRoute } from "./routes.ts";

test("what is accepted is accepted as it stands and cannot be decoded into another route", () => {
  const piece = fc.constantFrom(
    "/",
    "_admin",
    "api",
    "%2f",
    "%61",
    "..",
    ".",
    ";",
    "%",
    "你",
    "a",
    "%E4%BD%A0",
    "%20",
    "\\",
    "//",
    "A",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const text = `/${pieces.join("")}`;
      const read = readPath(text);
      if (!read.ok) return;
      expect(read.path).toBe(text);
      const decoded = decodeURIComponent(read.path);
      const asked = { method: "GET", upgrade: false, document: false };
      const match = matchRoute({ ...asked, path: text });
      expect(matchRoute({ ...asked, path: decoded })).toEqual(match);
      expect(new URL(`http://h${text}`).pathname).toBe(text);
    }),
    { numRuns: 3000 },
  );
});

test.each(["/", "/chat/main", "/x/~a.b-c_d", "/x/a%20b", "/x/a%3Ab", "/x/%E4%BD%A0", "/x/@a:b,c"])(
  "%s is plain",
  (path) => {
    expect(readPath(path)).toEqual({ ok: true, path });
  },
);

test.each([
  ["//x", "slashes"],
  ["x", "slashes"],
  ["", "slashes"],
  ["/a\\b", "slashes"],
  ["/a/./b", "dots"],
  ["/a/..", "dots"],
  ["/a.", "dots"],
  ["/a;b", "characters"],
  ["/a b", "characters"],
  ["/你", "characters"],
  ["/%E4%BD%A0", "escape"],
  ["/x/%2F", "escape"],
  ["/x/%2e", "escape"],
  ["/x/%25", "escape"],
  ["/x/%41", "escape"],
  ["/x/%EF%BD%81", "escape"],
  ["/x/%E2%80%AE", "escape"],
  ["/x/%C2%85", "escape"],
  ["/_Admin", "case"],
  ["/API/x", "case"],
])("%s is refused for its %s", (path, reason) => {
  expect(readPath(path)).toEqual({ ok: false, reason });
});
