/**
 * Cloudflare Access as far as a Worker can see it: a team with its keys and login, and the edge in
 * front of a host name that puts an identity on requests.
 *
 * The team answers at `https://<team>` through whatever carries requests there (`answer`); the edge
 * is a real server that a browser opens.
 */
import http from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import {
  exportJWK,
  generateKeyPair,
  jwtVerify,
  SignJWT,
  type CryptoKey,
  type JWK,
  type JWTPayload,
} from "jose";

export const TEAM = "moltworker-test.cloudflareaccess.com";
export const AUDIENCE = "a".repeat(64);
const COOKIE = "CF_Authorization";

interface SigningKey {
  kid: string;
  privateKey: CryptoKey;
  publicKey: CryptoKey;
  jwk: JWK;
}

export interface Minted {
  email?: string;
  commonName?: string;
  claims?: JWTPayload;
  issuer?: string;
  audience?: string | string[];
  /** Seconds since the epoch. */
  issuedAt?: number;
  expiresAt?: number;
  kid?: string;
}

export interface AccessTeam {
  origin: string;
  /** How often the keys were asked for. */
  certRequests(): number;
  /** A new signing key; the one before stays published, older ones go. */
  rotate(): Promise<void>;
  /** Makes the key set answer with this status instead. */
  failKeys(status: number | undefined): void;
  mint(token: Minted): Promise<string>;
  publicKey(): CryptoKey;
  /** Answers a request for the team's host name. */
  answer(request: Request): Promise<Response>;
}

export async function createAccessTeam(now: () => number = Date.now): Promise<AccessTeam> {
  let serial = 0;
  let failing: number | undefined;
  let asked = 0;
  const keys: SigningKey[] = [];
  const origin = `https://${TEAM}`;

  async function rotate(): Promise<void> {
    serial += 1;
    const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
    const kid = `${serial}`.padStart(64, "0");
    keys.unshift({ kid, privateKey, publicKey, jwk: await exportJWK(publicKey) });
    keys.length = Math.min(keys.length, 2);
  }
  await rotate();

  function current(): SigningKey {
    const [key] = keys;
    if (key === undefined) throw new Error("a team has a key");
    return key;
  }

  async function mint(token: Minted): Promise<string> {
    const key = keys.find(({ kid }) => kid === token.kid) ?? current();
    const at = token.issuedAt ?? Math.floor(now() / 1000);
    const claims: JWTPayload = {
      type: "app",
      ...(token.commonName === undefined
        ? { email: token.email ?? "owner@example.org", identity_nonce: "nonce", country: "NL" }
        : { common_name: token.commonName }),
      sub: token.commonName === undefined ? "7335d417-61da-459d-899c-0a01c76a2f94" : "",
      ...token.claims,
    };
    return new SignJWT(claims)
      .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: token.kid ?? key.kid })
      .setIssuer(token.issuer ?? origin)
      .setAudience(token.audience ?? [AUDIENCE])
      .setIssuedAt(at)
      .setNotBefore(at)
      .setExpirationTime(token.expiresAt ?? at + 24 * 60 * 60)
      .sign(key.privateKey);
  }

  return {
    origin,
    certRequests: () => asked,
    rotate,
    failKeys: (status) => {
      failing = status;
    },
    mint,
    publicKey: () => current().publicKey,

    async answer(request) {
      const url = new URL(request.url);
      if (url.pathname === "/cdn-cgi/access/certs") {
        asked += 1;
        if (failing !== undefined) return new Response("no keys today", { status: failing });
        return Response.json({
          keys: keys.map(({ kid, jwk: { kty, n, e } }) => ({
            kid,
            kty,
            n,
            e,
            alg: "RS256",
            use: "sig",
          })),
          public_cert: { kid: current().kid, cert: "-----BEGIN CERTIFICATE-----" },
          public_certs: [],
        });
      }
      const [, host] = /^\/cdn-cgi\/access\/login\/([^/]+)$/.exec(url.pathname) ?? [];
      if (host === undefined) return new Response("no such page", { status: 404 });
      const back = url.searchParams.get("redirect_url") ?? "/";
      if (request.method !== "POST") return loginPage(`${url.pathname}${url.search}`);
      const email = new URLSearchParams(await request.text()).get("email") ?? "";
      const token = await mint({ email, audience: [url.searchParams.get("kid") ?? ""] });
      // The port is the edge's addition: real host names have none.
      const application = `http://${host}:${url.searchParams.get("port") ?? "80"}`;
      const to = new URL("/cdn-cgi/access/authorized", application);
      to.searchParams.set("token", token);
      to.searchParams.set("redirect_url", back);
      return Response.redirect(to.href, 302);
    },
  };
}

function loginPage(action: string): Response {
  return new Response(
    `<!doctype html><html lang="en"><title>Access login</title><h1>Sign in</h1>
     <form method="post" action="${action.replaceAll("&", "&amp;").replaceAll('"', "&quot;")}">
     <label>E-mail <input name="email" type="email"></label><button>Send me a code</button></form></html>`,
    { headers: { "Content-Type": "text/html" } },
  );
}

export interface AccessEdge {
  origin: string;
  close(): Promise<void>;
}

/**
 * The edge in front of `upstream`: it keeps the identity cookie and puts the header on. It never
 * sends anybody to the login itself, as if the application were set to bypass: that is the Worker's
 * own job here. `covers` false is a host name without any application.
 *
 * A browser has no way to the team's host name, so the edge shows the team at `localhost`, and
 * redirects to the team lead there.
 */
export async function startAccessEdge(
  team: AccessTeam,
  upstream: URL,
  covers = true,
): Promise<AccessEdge> {
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://edge");
    if (request.headers.host?.startsWith("localhost:") === true) {
      void answerAsTeam(request, url).then(async (answer) => {
        response.writeHead(answer.status, Object.fromEntries(answer.headers));
        response.end(await answer.text());
      });
      return;
    }
    if (covers && url.pathname === "/cdn-cgi/access/authorized") {
      response.writeHead(302, {
        Location: url.searchParams.get("redirect_url") ?? "/",
        "Set-Cookie": `${COOKIE}=${url.searchParams.get("token") ?? ""}; Path=/; HttpOnly`,
      });
      response.end();
      return;
    }
    if (covers && url.pathname === "/cdn-cgi/access/logout") {
      response.writeHead(302, { Location: "/", "Set-Cookie": `${COOKIE}=; Path=/; Max-Age=0` });
      response.end();
      return;
    }
    void identityOf(request).then((token) => {
      const headers = { ...request.headers };
      delete headers["cf-access-jwt-assertion"];
      if (token !== undefined) headers["cf-access-jwt-assertion"] = token;
      const passed = http.request(
        upstream,
        { method: request.method, path: request.url, headers },
        (answer) => {
          const { location } = answer.headers;
          response.writeHead(answer.statusCode ?? 502, {
            ...answer.headers,
            ...(location === undefined ? {} : { location: shownLocation(location) }),
          });
          answer.pipe(response);
        },
      );
      passed.on("error", () => response.destroy());
      response.on("close", () => passed.destroy());
      request.pipe(passed);
    });
  });

  function port(): number {
    return (server.address() as AddressInfo).port;
  }

  function shownLocation(location: string): string {
    if (!location.startsWith(`${team.origin}/`)) return location;
    const shown = new URL(location.replace(team.origin, `http://localhost:${port()}`));
    shown.searchParams.set("port", String(port()));
    return shown.href;
  }

  async function answerAsTeam(request: http.IncomingMessage, url: URL): Promise<Response> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const method = request.method ?? "GET";
    const body = method === "POST" ? { body: Buffer.concat(chunks).toString() } : {};
    return team.answer(
      new Request(`${team.origin}${url.pathname}${url.search}`, { method, ...body }),
    );
  }

  async function identityOf(request: http.IncomingMessage): Promise<string | undefined> {
    const [, token] =
      new RegExp(`(?:^|;\\s*)${COOKIE}=([^;]+)`).exec(request.headers.cookie ?? "") ?? [];
    if (!covers || token === undefined) return undefined;
    try {
      await jwtVerify(token, team.publicKey());
      return token;
    } catch {
      return undefined;
    }
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${port()}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
