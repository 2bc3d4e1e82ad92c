import { createHash } from "node:crypto";

/** Hex SHA-256 over parts that cannot run into each other. */
export function hashOf(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex");
}
