import { expect, test } from "vitest";
import { parseStartOptions } from "./options.ts";

test("without options it listens on loopback with the documented ports", () => {
  expect(parseStartOptions([])).toEqual({
    kind: "start",
    options: {
      port: 8787,
      adminPort: 8788,
      host: "127.0.0.1",
      exposed: false,
      stateDir: ".moltworker",
      browser: "auto",
      engine: "auto",
      open: true,
      json: false,
      watch: false,
    },
  });
});

test.each([
  [["--nope"], "--nope"],
  [["extra"], "extra"],
  [["--port", "eighty"], "--port"],
  [["--port", "70000"], "--port"],
  [["--port", "-1"], "--port"],
  [["--admin-port="], "--admin-port"],
  [["--port", "9000", "--admin-port", "9000"], "both 9000"],
  [["--engine", "podman"], "podman"],
  [["--host", "example.org"], "example.org"],
  [["--host", "127.0.0.1.example.org"], "127.0.0.1.example.org"],
  [["--host", "127.0.0.256"], "127.0.0.256"],
])("%j is refused with a message that names it", (args, text) => {
  const parsed = parseStartOptions(args);
  expect(parsed.kind).toBe("problem");
  expect(parsed).toHaveProperty("problem", expect.stringContaining(text));
});

test.each([
  ["localhost", "127.0.0.1"],
  ["127.8.9.10", "127.8.9.10"],
  ["::1", "::1"],
])("--host %s listens on %s", (host, address) => {
  expect(parseStartOptions(["--host", host])).toMatchObject({
    options: { host: address, exposed: false },
  });
});

test.each(["0.0.0.0", "::", "[::]", "192.168.1.5", "::ffff:127.0.0.1", "2001:db8::1"])(
  "--host %s counts as exposed",
  (host) => {
    expect(parseStartOptions(["--host", host])).toMatchObject({ options: { exposed: true } });
  },
);

test("ports may be left to the system", () => {
  expect(parseStartOptions(["--port", "0", "--admin-port", "0"])).toMatchObject({
    kind: "start",
    options: { port: 0, adminPort: 0 },
  });
});

test("--help wins over everything that parses", () => {
  expect(parseStartOptions(["--port", "x", "--help"])).toEqual({ kind: "help" });
});
