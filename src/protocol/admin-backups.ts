/**
 * Backups in the admin API. Two calls are not in the table because they carry bytes:
 *
 * | call | does |
 * |---|---|
 * | `GET /api/backups/:generation/archive` | downloads the generation as `.tar.gz` |
 * | `PUT /api/backups/imports/:id/parts/:n` | sends one part of an archive, `application/octet-stream` |
 */
import * as z from "zod";
import { doneReply, type Endpoint } from "./admin.ts";
import { changeSummary, REASONS } from "./backup.ts";
import { importReport, importView } from "./import.ts";

/** Longer than a backup or a look at a whole archive takes. */
const LASTING_MS = 180_000;

/** Milliseconds since the epoch. */
const moment = z.number();
const nothing = z.strictObject({});

export const generationView = z.object({
  generation: z.number(),
  at: moment,
  reason: z.enum(REASONS),
  /** Of the whole state. */
  files: z.number(),
  bytes: z.number(),
  /** Bytes that this generation added to the bucket. */
  stored: z.number(),
  changes: changeSummary,
  encrypted: z.boolean(),
  /** The generation whose content it has again. */
  of: z.number().optional(),
  verifiedAt: moment.optional(),
  damaged: z.string().optional(),
});
export type GenerationView = z.infer<typeof generationView>;

const count = z.number().int().nonnegative();
/** Every generation for so many hours, one an hour for so many days, and so on. */
export const retentionView = z.object({
  allHours: count,
  hourlyDays: count,
  dailyDays: count,
  weeklyWeeks: count,
});
export type RetentionView = z.infer<typeof retentionView>;

export const backupsReply = z.object({
  ok: z.literal(true),
  /** Whether new generations are encrypted. */
  encrypted: z.boolean(),
  /** Newest first. */
  generations: z.array(generationView),
  /** When a restore last worked. */
  verifiedAt: moment.optional(),
  failure: z.object({ at: moment, message: z.string() }).optional(),
  /** When the recovery kit of the present key was handed out; it is handed out once. */
  recoveryKitAt: moment.optional(),
  retention: retentionView,
});
export type AdminBackups = z.infer<typeof backupsReply>;

export const backedUpReply = z.object({ ok: z.literal(true), generation: z.number().optional() });
export const recoveryKitReply = z.object({ name: z.string(), text: z.string() });
export const importsReply = z.object({ imports: z.array(importView) });
/** A dry run: what would come in, or why nothing of it would. */
export const surveyReply = z.union([
  z.object({ ok: z.literal(true), report: importReport }),
  z.object({ ok: z.literal(false), reason: z.literal("refused"), message: z.string() }),
]);

export const oneGeneration = z.strictObject({ generation: z.number().int().positive() });
export const verifyBody = z.strictObject({
  generation: z.union([z.number().int().positive(), z.literal("all")]).optional(),
});
/** What has to be typed, so that nobody gets here by a slip. */
export const AFRESH = "start afresh";
export const afreshBody = z.strictObject({ confirm: z.literal(AFRESH) });
export const beginImportBody = z.strictObject({
  name: z.string().trim().min(1).max(200),
  bytes: z.number().int().positive(),
});

export const BACKUPS_API = {
  backups: { method: "GET", path: "/api/backups", reply: backupsReply },
  backUpNow: {
    method: "POST",
    path: "/api/backups",
    body: nothing,
    reply: backedUpReply,
    deadlineMs: LASTING_MS,
  },
  restore: { method: "POST", path: "/api/backups/restore", body: oneGeneration, reply: doneReply },
  /** Without a number the newest. */
  verify: {
    method: "POST",
    path: "/api/backups/verify",
    body: verifyBody,
    reply: doneReply,
  },
  prune: { method: "POST", path: "/api/backups/prune", body: nothing, reply: doneReply },
  afresh: { method: "POST", path: "/api/backups/afresh", body: afreshBody, reply: doneReply },
  recoveryKit: {
    method: "POST",
    path: "/api/backups/recovery-kit",
    body: nothing,
    reply: recoveryKitReply,
  },
  imports: { method: "GET", path: "/api/backups/imports", reply: importsReply },
  beginImport: {
    method: "POST",
    path: "/api/backups/imports",
    body: beginImportBody,
    reply: importView,
  },
  surveyImport: {
    method: "POST",
    path: "/api/backups/imports/:id/survey",
    body: nothing,
    reply: surveyReply,
    deadlineMs: LASTING_MS,
  },
  /** Keeps the present state as a generation, stops, and starts with the archive's content. */
  applyImport: {
    method: "POST",
    path: "/api/backups/imports/:id/apply",
    body: nothing,
    reply: doneReply,
  },
  dropImport: { method: "DELETE", path: "/api/backups/imports/:id", reply: doneReply },
} satisfies Record<string, Endpoint<unknown>>;
