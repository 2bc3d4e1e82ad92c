import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { networkBinding } from "./network-binding.ts";

const certificate = (body: string) =>
  `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`;

it("trusts the authorities that Node was given besides its own", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "authorities-"));
  const file = path.join(folder, "extra.pem");
  try {
    await writeFile(file, `# ours\n${certificate("one")}\n\n${certificate("two")}\n`);
    const { tlsOptions } = (await networkBinding(file)).network;
    expect(tlsOptions.trustedCertificates).toEqual([certificate("one"), certificate("two")]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it.each(["", "/nowhere/extra.pem"])("trusts none besides without one: %j", async (file) => {
  const { trustBrowserCas, trustedCertificates } = (await networkBinding(file)).network.tlsOptions;
  expect([trustBrowserCas, trustedCertificates]).toEqual([true, []]);
});
