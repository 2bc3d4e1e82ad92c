import { expect, test } from "vitest";
import { dockerfile, parsePackageList } from "./image-files.ts";

test("a person's packages are read one a line, comments left out", () => {
  expect(parsePackageList("# mine\nffmpeg\n\nlibxml2-utils # xmllint\n")).toEqual({
    ok: true,
    packages: ["ffmpeg", "libxml2-utils"],
  });
});

test.each(["ffmpeg; rm -rf /", "$(id)", "two names", "-y", "Über"])(
  "a line that is no package name is refused: %s",
  (line) => {
    expect(parsePackageList(`jq\n${line}\n`)).toEqual({ ok: false, line: 2, text: line });
  },
);

test("a person's packages end up in the image", () => {
  expect(dockerfile(["ffmpeg"])).toMatch(/apt-get install .* ffmpeg /);
});
