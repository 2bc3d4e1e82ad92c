/** What the doors have to tell the audit log about one request. Nothing here waits for storage. */
import type { AuditKind } from "../../protocol/admin-audit.ts";

export interface Journal {
  signedIn(session: { id: string; issuedAt: number }): void;
  adminSignedIn(name: string): void;
  /** @param detail never holds what was tried, only why it was refused */
  denied(
    kind: Extract<
      AuditKind,
      "sign-in-refused" | "app-code-refused" | "admin-refused" | "cdp-refused"
    >,
    detail: string,
  ): void;
}

/** Marks in a `User-Agent`, the more special before those that it also holds. */
const BROWSERS: readonly (readonly [mark: string, name: string])[] = [
  ["Edg/", "Edge"],
  ["OPR/", "Opera"],
  ["Firefox/", "Firefox"],
  ["Chrome/", "Chrome"],
  ["Safari/", "Safari"],
];
const SYSTEMS: readonly (readonly [mark: string, name: string])[] = [
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Android", "Android"],
  ["Windows", "Windows"],
  ["Mac OS X", "macOS"],
  ["CrOS", "ChromeOS"],
  ["Linux", "Linux"],
];

/** `Firefox, Linux`: enough to know one's own browser again. Empty for anything unknown. */
export function browserName(userAgent: string | null): string {
  const text = userAgent ?? "";
  return [BROWSERS, SYSTEMS]
    .flatMap((marks) => marks.find(([mark]) => text.includes(mark))?.[1] ?? [])
    .join(", ");
}
