import { expect, test } from "vitest";
import { browserOpener } from "./open-browser.ts";

const desktop = { platform: "linux", tty: true, root: false, env: { DISPLAY: ":0" } };

test("a desktop's own opener is used", () => {
  expect(browserOpener(desktop)).toBe("xdg-open");
  expect(browserOpener({ ...desktop, env: { WAYLAND_DISPLAY: "wayland-0" } })).toBe("xdg-open");
  expect(browserOpener({ ...desktop, platform: "darwin", env: {} })).toBe("open");
});

test.each([
  ["root", { ...desktop, root: true }],
  ["no terminal", { ...desktop, tty: false }],
  ["no display", { ...desktop, env: {} }],
  ["CI", { ...desktop, env: { DISPLAY: ":0", CI: "true" } }],
  ["an SSH session", { ...desktop, env: { DISPLAY: ":10", SSH_CONNECTION: "a b c d" } }],
])("nothing is opened for %s", (_name, place) => {
  expect(browserOpener(place)).toBeUndefined();
});
