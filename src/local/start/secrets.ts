/** Secrets that `npm start` makes and keeps when the person has set none. */
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { generateX25519Identity } from "age-encryption";

/** 256 random bits; 64 characters, well over the 32 that the Worker asks for. */
export function randomToken(): string {
  return randomBytes(32).toString("hex");
}

/** The same token at every start of this state folder. */
export async function keptGatewayToken(dir: string): Promise<string> {
  return (await kept(path.join(dir, "gateway-token"), randomToken())).value;
}

/** The identity that opens this state folder's backups; `made` at the first start. */
export async function keptBackupKey(
  dir: string,
): Promise<{ value: string; made: boolean; file: string }> {
  const file = path.join(dir, "backup-key");
  return { ...(await kept(file, await generateX25519Identity())), file };
}

async function kept(file: string, fresh: string): Promise<{ value: string; made: boolean }> {
  try {
    await writeFile(file, `${fresh}\n`, { flag: "wx", mode: 0o600 });
    return { value: fresh, made: true };
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    return { value: (await readFile(file, "utf8")).trim(), made: false };
  }
}
