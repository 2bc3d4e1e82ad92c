/** One contract, held by every sandbox engine this machine can run, with a real workerd on top. */
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { type Box, type Rig, enginesPresent, startRig } from "../support/engine-rig.ts";

const MEGABYTE = 1024 ** 2;
const AUTHORITY = "/etc/cloudflare/certs/cloudflare-containers-ca.crt";
const EVERYTHING = [
  { kind: "http", host: "named.internal", via: "http by name" },
  { kind: "all-http", via: "all http" },
  { kind: "https", host: "named.internal", via: "https by name" },
  { kind: "https", host: "*", via: "all https" },
];

const hello = z.object({ env: z.record(z.string(), z.string()), argv: z.array(z.string()) });
const fetched = z.object({ status: z.number(), text: z.string() });
const intercepted = z.object({
  via: z.string(),
  method: z.string(),
  url: z.string(),
  bytes: z.number(),
});
const execOutput = z.object({ exitCode: z.number(), stdout: z.string(), stderr: z.string() });

const engines = await enginesPresent();

describe.for(engines)("$name", (engine) => {
  let rig: Rig;
  let box: Box;
  beforeAll(async () => {
    rig = await startRig(engine);
    box = rig.box("main");
    await box.start({ env: { FROM_START: "yes" }, intercepts: EVERYTHING });
  });
  afterAll(async () => {
    await rig.close();
  });

  const outside = async (url: string, init?: object): Promise<z.infer<typeof intercepted>> => {
    const { text } = fetched.parse(await box.ask("fetch", { url, init }));
    return intercepted.parse(JSON.parse(text));
  };
  /** A program in the container that trusts the runtime's authority. */
  const trusting = async (words: string[]): Promise<string> => {
    const names = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO"];
    const { env } = hello.parse(await box.ask("hello"));
    const file = env["MOLTWORKER_CA_FILE"] ?? AUTHORITY;
    const { stdout, stderr } = await box.run(
      words,
      Object.fromEntries(names.map((name) => [name, file])),
    );
    return stdout + stderr;
  };

  describe("life", () => {
    it("gives the program the image's variables, the start's, and its arguments", async () => {
      const { env, argv } = hello.parse(await box.ask("hello"));
      expect(env).toMatchObject({ FROM_IMAGE: "yes", FROM_START: "yes" });
      expect(env).not.toHaveProperty("MOLTWORKER_SECRET_OF_THE_HOST");
      expect(argv.at(-1)).toBe("an-argument");
    });

    it("reports the exit code of a program that ends by itself", async () => {
      const other = rig.box("ends");
      await other.start();
      await other.ask("exit", { code: 7 });
      expect(await other.operate("exit")).toMatchObject({ ok: false, exitCode: 7 });
      expect(await other.operate("running")).toBe(false);
    });

    it("reports an end with exit code 0 as no failure", async () => {
      const other = rig.box("ends well");
      await other.start();
      await other.ask("exit", { code: 0 });
      expect(await other.operate("exit")).toEqual({ ok: true });
    });

    it("starts again after an end", async () => {
      const other = rig.box("again");
      await other.start();
      await other.ask("exit", { code: 1 });
      await other.operate("exit");
      await other.start({ env: { SECOND: "yes" } });
      expect(hello.parse(await other.ask("hello")).env).toMatchObject({ SECOND: "yes" });
      await other.operate("destroy");
    });

    it("passes a signal to the program", async () => {
      const other = rig.box("signalled");
      await other.start();
      await other.operate("signal/15");
      expect(await other.operate("exit")).toMatchObject({ exitCode: 43 });
    });

    it("destroys a program that ignores signals", async () => {
      const other = rig.box("stubborn");
      await other.start({ env: { IGNORE_SIGTERM: "yes" } });
      await other.operate("signal/15");
      hello.parse(await other.ask("hello"));
      await other.operate("destroy");
      expect(await other.operate("exit")).toMatchObject({ ok: expect.any(Boolean) });
      expect(await other.operate("running")).toBe(false);
    });

    it("fails a start whose entry program does not exist", async () => {
      const other = rig.box("no program");
      await other.operate("start", { entrypoint: ["/nonexistent"] });
      expect(await other.operate("exit")).toMatchObject({ ok: false });
    });

    it("hands on what the program writes, line by line", () => {
      expect(rig.logs).toContainEqual(
        expect.objectContaining({ stream: "stdout", line: "serving" }),
      );
      expect(rig.logs).toContainEqual(
        expect.objectContaining({ stream: "stderr", line: "a line on standard error" }),
      );
    });
  });

  describe("ports", () => {
    it("reaches both of the program's ports", async () => {
      for (const port of [8080, 8081]) {
        const response = await box.port(port, "hello");
        expect(await response.json()).toMatchObject({ answer: { hello: true } });
      }
    });

    it("says that nothing listens on a port where nothing listens", async () => {
      const response = await box.port(8099, "hello");
      expect(response.status).toBe(599);
      expect(await response.json()).toMatchObject({
        failed: expect.stringContaining("not listening"),
      });
    });

    it("carries 20 MB up and down", async () => {
      const up = await box.port(8080, "sink", {
        method: "POST",
        body: new Uint8Array(20 * MEGABYTE).fill(97),
      });
      expect(await up.json()).toEqual({ bytes: 20 * MEGABYTE });
      const down = await box.port(8080, `source?bytes=${20 * MEGABYTE}`);
      expect((await down.arrayBuffer()).byteLength).toBe(20 * MEGABYTE);
    });

    it("carries a WebSocket, text and binary, in order", async () => {
      const socket = new WebSocket(box.socketUrl(8080));
      await once(socket, "open");
      const received: string[] = [];
      const all = new Promise<void>((resolve) => {
        socket.on("message", (data: Buffer, binary) => {
          received.push(`${binary ? "binary" : "text"} ${data.length}`);
          if (received.length === 4) resolve();
        });
      });
      socket.send("a");
      socket.send(Buffer.alloc(100_000));
      socket.send("");
      socket.send("x".repeat(MEGABYTE));
      await all;
      expect(received).toEqual(["text 1", "binary 100000", "text 0", `text ${MEGABYTE}`]);
      socket.close();
      await once(socket, "close");
    });

    it("keeps two containers on the same port apart", async () => {
      const [one, two] = [rig.box("one"), rig.box("two")];
      await Promise.all([one.start({ env: { ME: "1" } }), two.start({ env: { ME: "2" } })]);
      const seen = await Promise.all([one.ask("hello"), two.ask("hello")]);
      expect(seen.map((answer) => hello.parse(answer).env["ME"])).toEqual(["1", "2"]);
      await Promise.all([one.operate("destroy"), two.operate("destroy")]);
      expect(await box.ask("hello")).toMatchObject({ hello: true });
    });

    it("answers 60 requests at once", async () => {
      const responses = await Promise.all(
        Array.from({ length: 60 }, () => box.port(8080, "source?bytes=100000")),
      );
      const sizes = await Promise.all(responses.map((response) => response.arrayBuffer()));
      expect(sizes.every((body) => body.byteLength === 100_000)).toBe(true);
    });
  });

  describe("outbound", () => {
    it("brings HTTP to the Worker, by name and by the catch-all", async () => {
      expect(await outside("http://named.internal/a?b=c")).toEqual({
        via: "http by name",
        method: "GET",
        url: "http://named.internal/a?b=c",
        bytes: 0,
      });
      expect(await outside("http://elsewhere.example/", { method: "POST", body: "hello" })).toEqual(
        {
          via: "all http",
          method: "POST",
          url: "http://elsewhere.example/",
          bytes: 5,
        },
      );
    });

    it.for([
      [
        "Node's fetch",
        ["node", "-e", "fetch('https://named.internal/').then((r) => r.text()).then(console.log)"],
      ],
      ["curl", ["curl", "-sS", "https://named.internal/"]],
      [
        "Python's urllib",
        [
          "/usr/bin/python3",
          "-c",
          "import urllib.request as u; print(u.urlopen('https://named.internal/').read().decode())",
        ],
      ],
    ] as const)("brings the HTTPS of %s to the Worker", async ([, words]) => {
      expect(await trusting([...words])).toContain('"via":"https by name"');
    });

    it("brings git's HTTPS to the Worker", async () => {
      expect(await trusting(["git", "ls-remote", "https://git.example/repo.git"])).toContain(
        "0123456789012345678901234567890123456789\trefs/heads/main",
      );
    });

    it("serves several hosts and requests over kept connections", async () => {
      const text = await trusting([
        ...["curl", "-sS", "https://a.example/1", "https://a.example/2"],
        ...["https://b.example/3", "http://c.example/4"],
      ]);
      for (const url of ["https://a.example/1", "https://a.example/2", "https://b.example/3"]) {
        expect(text).toContain(`"via":"all https","method":"GET","url":"${url}"`);
      }
      expect(text).toContain('"via":"all http","method":"GET","url":"http://c.example/4"');
    });

    it("carries 20 MB out", async () => {
      const body = "x".repeat(20 * MEGABYTE);
      const script = `fetch("https://big.example/", {method: "POST", body: "x".repeat(${body.length})}).then((r) => r.text()).then(console.log)`;
      expect(await trusting(["node", "-e", script])).toContain(`"bytes":${body.length}`);
    });

    it("lets a rule registered during the run take effect", async () => {
      const other = rig.box("later");
      await other.start();
      expect(await other.ask("fetch", { url: "http://late.internal/" })).not.toMatchObject({
        status: 200,
      });
      await other.operate("intercept", [{ kind: "http", host: "late.internal", via: "late" }]);
      const { text } = fetched.parse(await other.ask("fetch", { url: "http://late.internal/" }));
      expect(JSON.parse(text)).toMatchObject({ via: "late" });
      await other.operate("destroy");
    });
  });

  describe("exec", () => {
    it("runs a command with its own input, output, errors, variables and exit code", async () => {
      const output = execOutput.parse(
        await box.operate("exec", {
          cmd: ["sh", "-c", "cat; echo $ONLY >&2; echo ${FROM_IMAGE:-nothing}; exit 3"],
          input: "in\n",
          env: { ONLY: "mine" },
        }),
      );
      expect(output.exitCode).toBe(3);
      expect(output.stdout).toContain("in\n");
      expect(output.stderr).toBe("mine\n");
    });

    it("kills a command on request", async () => {
      const { exitCode } = execOutput.parse(
        await box.operate("exec", { cmd: ["sleep", "60"], kill: 9 }),
      );
      expect(exitCode).toBe(137);
    });
  });

  it.skipIf(engine.kind === "docker")("refuses snapshots with a reason", async () => {
    expect(await box.operate("snapshot")).toMatchObject({
      failed: expect.stringContaining("no snapshots"),
    });
  });
});
