/** Who may speak CDP from outside: the door of /cdp, without a browser behind it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CDP_SECRET } from "../support/browser-rig.ts";
import { startWorkerServer, TOKEN, type WorkerServer } from "../support/worker-server.ts";

let closed: WorkerServer;
let open: WorkerServer;
let inUrl: WorkerServer;

beforeAll(async () => {
  closed = await startWorkerServer();
  open = await startWorkerServer({ CDP_SECRET });
  inUrl = await startWorkerServer({ CDP_SECRET, CDP_SECRET_IN_URL: "true" });
});
afterAll(() => Promise.all([closed, open, inUrl].map((worker) => worker?.close())));

let clients = 0;

async function ask(
  worker: WorkerServer,
  headers: Record<string, string> = {},
  path = "/cdp/json/version",
) {
  clients += 1;
  const answer = await worker.ask("AgentFace", {
    path,
    headers: { "X-Test-Client": `203.0.113.${clients}`, ...headers },
  });
  const code = /"code":"([^"]+)"/.exec(answer.text)?.[1];
  return { status: answer.status, code };
}

const upgrade = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13" };
const handshake = { ...upgrade, "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==" };
/** Through the door; there is no browser behind it. */
const ENTERED = { status: 503, code: "browser_off" };

describe("the door of /cdp", () => {
  test("does not exist without CDP_SECRET, whatever is sent", async () => {
    for (const headers of [{}, { Authorization: `Bearer ${TOKEN}` }, { "X-CDP-Secret": "" }]) {
      expect(await ask(closed, headers)).toMatchObject({ status: 404 });
    }
    expect(await ask(closed, handshake, "/cdp")).toMatchObject({ status: 404 });
  });

  test.each<[string, Record<string, string>]>([
    ["no secret", {}],
    ["a wrong secret", { Authorization: `Bearer ${CDP_SECRET}x` }],
    ["the gateway's token", { Authorization: `Bearer ${TOKEN}` }],
    ["an empty header", { "X-CDP-Secret": "" }],
    ["another scheme", { Authorization: `Basic ${btoa(`:${CDP_SECRET}`)}` }],
    ["a wrong secret for a socket", { ...handshake, "X-CDP-Secret": "wrong" }],
  ])("refuses %s", async (_what, headers) => {
    const path = headers["Upgrade"] === undefined ? "/cdp/json/version" : "/cdp";
    expect(await ask(open, headers, path)).toEqual({ status: 401, code: "cdp_secret_required" });
  });

  test("takes the secret as Bearer or in a header of its own", async () => {
    expect(await ask(open, { Authorization: `Bearer ${CDP_SECRET}` })).toEqual(ENTERED);
    expect(await ask(open, { authorization: `bearer ${CDP_SECRET}` })).toEqual(ENTERED);
    expect(await ask(open, { "X-CDP-Secret": CDP_SECRET })).toEqual(ENTERED);
    expect(await ask(open, { ...handshake, "X-CDP-Secret": CDP_SECRET }, "/cdp")).toEqual(ENTERED);
  });

  test("takes it in the address only where that is switched on", async () => {
    const path = `/cdp/json/version?secret=${CDP_SECRET}`;
    expect(await ask(open, {}, path)).toMatchObject({ status: 401 });
    expect(await ask(inUrl, {}, path)).toEqual(ENTERED);
    expect(await ask(inUrl, {}, `${path}x`)).toMatchObject({ status: 401 });
  });

  test("refuses a web page even with the secret", async () => {
    const headers = { Authorization: `Bearer ${CDP_SECRET}`, Origin: "https://evil.example" };
    expect(await ask(open, headers)).toEqual({ status: 403, code: "cross_origin" });
  });

  test("makes whoever guesses wait, and writes it down", async () => {
    const guess = { "X-Test-Client": "192.0.2.66", "X-CDP-Secret": "wrong" };
    let last = { status: 0, code: "" as string | undefined };
    for (let n = 0; n < 40 && last.status !== 429; n += 1) last = await ask(open, guess);
    expect(last).toEqual({ status: 429, code: "too_many_attempts" });
    // Somebody else is not kept waiting.
    expect(await ask(open, { "X-CDP-Secret": CDP_SECRET })).toEqual(ENTERED);
  });

  test("the secret is in no log, wherever it was sent", () => {
    const said = [closed, open, inUrl].flatMap(({ logs }) => logs).join("\n");
    expect(said).toContain("/cdp/json/version");
    expect(said).not.toContain(CDP_SECRET);
  });
});

test("what DevTools has no address for is refused in words", async () => {
  const headers = { "X-CDP-Secret": CDP_SECRET };
  expect(await ask(open, headers, "/cdp/json/nothing")).toEqual({ status: 404, code: "not_found" });
  expect(await ask(open, headers, "/cdp/devtools/browser/1")).toMatchObject({ status: 404 });
  expect(await ask(open, headers, "/cdp/json/version?session=..")).toEqual({
    status: 400,
    code: "malformed_session",
  });
});
