import { Decrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { beforeAll, describe, expect, it } from "vitest";
import { splitHeader } from "../../archive/age-payload.ts";
import { FILE_KEY_HEADER } from "../../protocol/backup.ts";
import { HostClient, type HostReply } from "./host-client.ts";
import { PackError, sealPack } from "./pack.ts";
import { listIn } from "./pack-content.ts";
import { PackReads } from "./pack-reads.ts";

let sealed: { bytes: Uint8Array; seal: string | undefined; fileKey: string };
beforeAll(async () => {
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const entry = { name: "a", bytes: Buffer.alloc(300_000, "content "), mode: 0o600, modified: 0 };
  const { bytes, seal } = await sealPack([entry], recipient);
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const split = splitHeader(bytes);
  if (split === undefined || split === "too-long") throw new Error("no header");
  const fileKey = await decrypter.decryptHeader(split.header);
  sealed = { bytes, seal, fileKey: Buffer.from(fileKey).toString("base64") };
});

const OK = Buffer.from(JSON.stringify({ key: "k" }));

/** Packs of a host that answers as it is told; `check` is what it says of a suspect one. */
function reads(answers: (Partial<HostReply> | Error)[], check: HostReply | Error = reply(200, OK)) {
  const asked: string[] = [];
  const host = new HostClient({
    token: "t",
    wait: () => Promise.resolve(),
    async send({ url, method, into }) {
      asked.push(`${method} ${new URL(url).pathname}`);
      const answer = method === "GET" ? answers.shift() : check;
      if (answer === undefined) throw new Error("asked too often");
      if (answer instanceof Error) throw answer;
      const { status = 200, bytes = new Uint8Array(0), fileKey } = answer;
      into?.set(bytes);
      return { status, bytes: into?.subarray(0, bytes.length) ?? bytes, fileKey };
    },
  });
  return { packs: new PackReads(host, () => Promise.resolve()), asked };
}

function reply(status: number, bytes: Uint8Array): HostReply {
  return { status, bytes, fileKey: undefined };
}

const whole = () => ({ bytes: sealed.bytes, fileKey: sealed.fileKey });

function refusal(status: number, reason: string): HostReply {
  return reply(status, Buffer.from(JSON.stringify({ reason, message: `it is ${reason}` })));
}

describe("a pack that is read", () => {
  it("is decrypted, with its seal, also when it was begun before", async () => {
    for (const early of [false, true]) {
      const { packs, asked } = reads([whole()]);
      if (early) packs.begin("1.0");
      const seen = await packs.use("1.0", async ({ compressed, seal }) => {
        expect(await listIn({ compressed, seal })).toBeUndefined();
        return seal;
      });
      expect(seen).toBe(sealed.seal);
      expect(asked).toEqual(["GET /v1/packs/1.0"]);
      await packs.close();
    }
  });

  it("that was begun and is not used takes nothing down", async () => {
    const { packs } = reads([refusal(503, "store"), new Error("gone")]);
    packs.begin("1.0");
    packs.begin("1.1");
    await expect(packs.close()).resolves.toBeUndefined();
  });

  it("is damaged when it is twice not what it should be, although the Worker finds nothing", async () => {
    const { packs, asked } = reads([whole(), whole()]);
    const used = packs.use("1.0", () => Promise.reject(new PackError("it is cut")));
    await expect(used).rejects.toMatchObject({
      code: "damaged",
      pack: "1.0",
      message: "it is cut",
    });
    expect(asked.filter((one) => one.endsWith("/check"))).toHaveLength(2);
  });

  it("is not damaged when the Worker opens it and it does not open here", async () => {
    const cut = { ...whole(), bytes: sealed.bytes.subarray(0, 200) };
    const flipped = {
      ...whole(),
      bytes: sealed.bytes.map((byte, i) => (i === 210 ? byte ^ 1 : byte)),
    };
    const otherKey = { ...whole(), fileKey: Buffer.alloc(16, 7).toString("base64") };
    const { packs } = reads([cut, flipped, otherKey, cut]);
    const used = packs.use("1.0", () => Promise.resolve());
    await expect(used).rejects.toMatchObject({ code: "unreadable", reason: "store" });
  });

  it("is damaged when the Worker does not open it either", async () => {
    const cut = { ...whole(), bytes: sealed.bytes.subarray(0, 200) };
    const { packs } = reads([cut, cut], refusal(422, "corrupt"));
    const used = packs.use("1.0", () => Promise.resolve());
    await expect(used).rejects.toMatchObject({ code: "damaged", message: "it is corrupt" });
  });

  it("is whole when the second try opens", async () => {
    const { packs } = reads([{ ...whole(), bytes: sealed.bytes.subarray(0, 200) }, whole()]);
    expect(await packs.use("1.0", ({ seal }) => Promise.resolve(seal))).toBe(sealed.seal);
  });

  it.each([
    ["missing", 404, "damaged"],
    ["corrupt", 422, "damaged"],
    ["wrong-key", 422, "unreadable"],
    ["closed", 403, "unreadable"],
    ["store", 503, "unreadable"],
  ])("is, refused as %s (%i) each time, %s", async (reason, status, code) => {
    const { packs } = reads(
      Array.from({ length: 4 }, () => refusal(status, reason)),
      refusal(503, "store"),
    );
    const used = packs.use("1.0", () => Promise.resolve());
    await expect(used).rejects.toMatchObject({ code });
  });

  it("is not damaged because of what goes wrong with whoever uses it", async () => {
    const { packs, asked } = reads([whole()]);
    const used = packs.use("1.0", () => Promise.reject(new Error("EACCES: no such right")));
    await expect(used).rejects.toThrow("EACCES");
    expect(asked).toEqual(["GET /v1/packs/1.0"]);
  });

  it.each([undefined, "", "AAAA"])(
    `is not damaged because ${FILE_KEY_HEADER} is %j`,
    async (fileKey) => {
      const { packs } = reads([{ bytes: sealed.bytes, fileKey }]);
      const used = packs.use("1.0", () => Promise.resolve());
      await expect(used).rejects.toMatchObject({ code: "unreadable", reason: "store" });
    },
  );
});
