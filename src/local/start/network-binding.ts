/**
 * The network as a binding of the Worker. The global `fetch` goes through a Worker of Miniflare's own,
 * which costs every model call a hop that Cloudflare does not have.
 */
import { readFile } from "node:fs/promises";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Reaches and trusts what the global `fetch` does: this machine's networks, and Node's extra authorities. */
export async function networkBinding(extraAuthorities = process.env["NODE_EXTRA_CA_CERTS"] ?? "") {
  // Node says itself, as it starts, when that file cannot be read.
  const text = await readFile(extraAuthorities, "utf8").catch(() => "");
  return {
    network: {
      allow: ["public", "private", "240.0.0.0/4"],
      deny: [],
      tlsOptions: { trustBrowserCas: true, trustedCertificates: text.match(CERTIFICATE) ?? [] },
    },
  };
}
