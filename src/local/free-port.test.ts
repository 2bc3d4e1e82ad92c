import { once } from "node:events";
import { readFile } from "node:fs/promises";
import net from "node:net";
import { expect, test } from "vitest";
import { freePort, tryPort } from "./free-port.ts";
import { checkPort } from "./start/ports.ts";

test("a free port lies below the range that the system gives out by itself", async () => {
  const range = await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
  const first = Number.parseInt(range, 10);
  for (let tries = 0; tries < 20; tries += 1) {
    const port = await freePort();
    expect(port).toBeLessThan(first);
    await tryPort("127.0.0.1", port);
  }
});

test("a port in use and an address of another machine are refused with the reason", async () => {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  expect(await checkPort("127.0.0.1", port, "--port")).toEqual({
    ok: false,
    reason: `port ${port} on 127.0.0.1 is in use: choose another with --port`,
  });
  server.close();
  await once(server, "close");
  expect(await checkPort("127.0.0.1", port, "--port")).toEqual({ ok: true, port });
  expect(await checkPort("192.0.2.1", 0, "--port")).toEqual({
    ok: false,
    reason: "cannot listen on 192.0.2.1:0 (EADDRNOTAVAIL)",
  });
});
