/**
 * The ephemeral certificate authority of one sandbox (X.509 v3, RFC 5280; ECDSA on P-256). Its key
 * never leaves this process and ends with the sandbox's network.
 */
// The library's dependency injection needs it loaded before the library itself.
import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { KeyObject, randomBytes, type webcrypto } from "node:crypto";
import { isIP, isIPv6 } from "node:net";
import { type SecureContext, createSecureContext } from "node:tls";

const DAY = 86_400_000;
/** Clocks inside and outside are one, but a certificate valid from this very second upsets some. */
const LIFETIME = { before: DAY, after: 30 * DAY };
/** Leaf certificates kept; a sandbox that invents host names only evicts its own. */
const MOST_LEAVES = 500;
/** RFC 5280, appendix A.1 (ub-common-name). */
const LONGEST_COMMON_NAME = 64;

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

export type Authority = {
  /** PEM, as `GET /ca` serves it. */
  certificate: string;
  /** What a TLS server needs to answer as `host` (a name or an IP address). */
  contextFor(host: string): Promise<SecureContext>;
};

type AuthorityOptions = {
  now?: () => number;
  /** Hosts whose certificates are kept. */
  mostLeaves?: number;
};

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

function alternativeName(host: string): SubjectAlternativeNameExtension {
  if (isIP(host) === 0) return new SubjectAlternativeNameExtension([{ type: "dns", value: host }]);
  // The library reads groups only; URL parsing brings an IPv4 tail (`::ffff:1.2.3.4`) to that form.
  const value = isIPv6(host) ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host;
  return new SubjectAlternativeNameExtension([{ type: "ip", value }]);
}

export async function createAuthority({
  now = Date.now,
  mostLeaves = MOST_LEAVES,
}: AuthorityOptions = {}): Promise<Authority> {
  // One key serves every leaf: all of them are held by this process and end with it.
  const [root, leaf] = await Promise.all([generateKeys(), generateKeys()]);
  const leafKey = KeyObject.from(leaf.privateKey).export({ type: "pkcs8", format: "pem" });
  const rootName = [{ CN: [`moltworker local sandbox ${randomBytes(4).toString("hex")}`] }];
  const lifetime = () => ({
    notBefore: new Date(now() - LIFETIME.before),
    notAfter: new Date(now() + LIFETIME.after),
  });
  const rootCertificate = await X509CertificateGenerator.createSelfSigned({
    name: rootName,
    keys: root,
    signingAlgorithm: ALGORITHM,
    ...lifetime(),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(root.publicKey),
    ],
  });
  const certificate = `${rootCertificate.toString("pem")}\n`;
  const leafExtensions = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    await AuthorityKeyIdentifierExtension.create(root.publicKey),
  ];
  const leaves = new Map<string, Promise<SecureContext>>();

  const mint = async (host: string): Promise<SecureContext> => {
    const minted = await X509CertificateGenerator.create({
      // The alternative name is what clients check.
      subject: [{ CN: [host.length <= LONGEST_COMMON_NAME ? host : "moltworker"] }],
      issuer: rootName,
      publicKey: leaf.publicKey,
      signingKey: root.privateKey,
      signingAlgorithm: ALGORITHM,
      ...lifetime(),
      extensions: [...leafExtensions, alternativeName(host)],
    });
    return createSecureContext({
      key: leafKey,
      cert: `${minted.toString("pem")}\n${certificate}`,
    });
  };

  return {
    certificate,
    contextFor(host) {
      const known = leaves.get(host);
      if (known !== undefined) return known;
      const [oldest] = leaves.keys();
      if (leaves.size >= mostLeaves && oldest !== undefined) leaves.delete(oldest);
      const context = mint(host);
      leaves.set(host, context);
      // A failure is the asker's to see, and not kept.
      context.catch(() => leaves.delete(host));
      return context;
    },
  };
}
