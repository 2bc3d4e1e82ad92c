import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect as tcpConnect, isIP } from "node:net";
import { connect, createServer } from "node:tls";
import { beforeAll, describe, expect, it } from "vitest";
import { type Authority, createAuthority } from "./certificates.ts";

/** A TLS handshake with a server that answers as `host`, by a client that trusts the authority. */
async function handshake(authority: Authority, host: string, asked = host): Promise<string> {
  const context = await authority.contextFor(host);
  const server = createServer({
    SNICallback: (_name, done) => done(null, context),
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const client = connect({
    socket: tcpConnect(address.port, "127.0.0.1"),
    host: asked,
    servername: "name.to.ask",
    ca: authority.certificate,
    checkServerIdentity: (_name, { raw }) => {
      const certificate = new X509Certificate(raw);
      const found = isIP(asked) === 0 ? certificate.checkHost(asked) : certificate.checkIP(asked);
      return found === undefined ? new Error("wrong name") : undefined;
    },
  });
  try {
    await once(client, "secureConnect");
    return "trusted";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    client.destroy();
    server.close();
  }
}

describe("the authority of a sandbox", () => {
  let authority: Authority;
  beforeAll(async () => {
    authority = await createAuthority();
  });

  it("is a certificate authority that signed itself, valid now", () => {
    const certificate = new X509Certificate(authority.certificate);
    expect(certificate.ca).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.validFromDate.getTime()).toBeLessThan(Date.now());
    expect(certificate.validToDate.getTime()).toBeGreaterThan(Date.now() + 86_400_000);
  });

  it.for([
    "named.example",
    "1.2.3.4",
    "2001:db8::1",
    "::ffff:1.2.3.4",
    "under_score.example",
    `${"a".repeat(60)}.${"b".repeat(60)}.example`,
  ])("is trusted as %s", async (host) => {
    expect(await handshake(authority, host)).toBe("trusted");
  });

  it("is not trusted as another name", async () => {
    expect(await handshake(authority, "a.example", "b.example")).toBe("wrong name");
  });

  it("is not trusted by the client of another authority", async () => {
    const other = await createAuthority();
    const mixed = { ...authority, certificate: other.certificate };
    expect(await handshake(mixed, "a.example")).toMatch(/self-signed|unable to (get|verify)/);
  });

  it("mints one certificate per host, asked for at once or later", async () => {
    const asked = ["a.example", "a.example"].map((host) => authority.contextFor(host));
    const [first, second] = await Promise.all(asked);
    expect(second).toBe(first);
    expect(await authority.contextFor("a.example")).toBe(first);
  });

  it("forgets the oldest host when a sandbox asks for many, and mints it anew", async () => {
    const small = await createAuthority({ mostLeaves: 2 });
    const first = await small.contextFor("first.example");
    const second = await small.contextFor("second.example");
    expect(await small.contextFor("first.example")).toBe(first);
    await small.contextFor("third.example");
    expect(await small.contextFor("second.example")).toBe(second);
    expect(await small.contextFor("first.example")).not.toBe(first);
  });

  it("says so when it cannot answer as a host, each time it is asked", async () => {
    const ask = () => authority.contextFor("fe80::1%eth0");
    await expect(ask()).rejects.toThrow("Invalid URL");
    await expect(ask()).rejects.toThrow("Invalid URL");
  });

  it("makes certificates of the time it is given", async () => {
    const then = await createAuthority({ now: () => Date.UTC(2060, 0, 1) });
    const certificate = new X509Certificate(then.certificate);
    expect(certificate.validFromDate.getUTCFullYear()).toBe(2059);
    expect(await handshake(then, "a.example")).toBe("certificate is not yet valid");
  });
});
