/** Reads an archive and decides about every entry, without writing anything. */
import type { ImportReport } from "../protocol/import.ts";
import { Intake, RefusedArchiveError, type IntakeLimits } from "./import-rules.ts";
import { dependenciesIn, pluginsInConfig } from "./plugins.ts";
import { RootSearch } from "./root-search.ts";
import { channelsInConfig, secretsInConfig } from "./secrets.ts";
import { readTar, TarError, type TarEntry } from "./tar-reader.ts";

export type ArchiveBytes = () => AsyncIterable<Uint8Array>;

export type Surveyed =
  | { ok: true; report: ImportReport }
  | { ok: false; reason: "refused"; message: string };

const MAX_CONFIG_BYTES = 1024 ** 2;
const MOST_LISTED = 100;
/** What the gateway's npm was told to install for one plugin. */
const PLUGIN_PROJECT = /^[^/]+\/npm\/projects\/[^/]+\/package\.json$/;
const CONFIG_NAME = /^(openclaw|moltbot|clawdbot)\.json$/;

/**
 * @param open gives the archive's bytes, unpacked, from the beginning; it is read twice
 * @param packedBytes the archive's size as it was sent
 * @throws whatever reading the archive's bytes throws
 */
export async function survey(
  open: ArchiveBytes,
  packedBytes: number,
  limits?: IntakeLimits,
): Promise<Surveyed> {
  try {
    const root = await findRoot(open, packedBytes, limits);
    return { ok: true, report: await surveyBelow(root, open, packedBytes, limits) };
  } catch (error) {
    if (error instanceof RefusedArchiveError || error instanceof TarError) {
      return { ok: false, reason: "refused", message: error.message };
    }
    throw error;
  }
}

async function findRoot(
  open: ArchiveBytes,
  packedBytes: number,
  limits?: IntakeLimits,
): Promise<string> {
  const intake = new Intake(packedBytes, limits);
  const search = new RootSearch();
  for await (const entry of readTar(open())) search.see(intake.inspect(entry), entry.type);
  return search.root();
}

async function surveyBelow(
  root: string,
  open: ArchiveBytes,
  packedBytes: number,
  limits?: IntakeLimits,
): Promise<ImportReport> {
  const intake = new Intake(packedBytes, limits);
  const taken = new Map<string, ImportReport["taken"][number]>();
  const report: ImportReport = {
    ...{ root, files: 0, bytes: 0, taken: [], skipped: [], skippedFiles: 0 },
    secrets: [],
    relink: [{ what: "devices" }],
  };
  for await (const entry of readTar(open())) {
    const decision = intake.decide(entry, intake.inspect(entry), root);
    if (!(decision.do === "skip" && decision.why === "outside")) noteRelink(report, decision.path);
    if (decision.do === "take") {
      report.files += 1;
      report.bytes += entry.size;
      const top = decision.path.split("/")[1] ?? "";
      const sum = taken.get(top) ?? { path: top, files: 0, bytes: 0 };
      taken.set(top, { path: top, files: sum.files + 1, bytes: sum.bytes + entry.size });
      continue;
    }
    if (decision.do !== "skip") continue;
    const { path, why, secret } = decision;
    if (why === "folder") continue;
    report.skippedFiles += 1;
    if (report.skipped.length < MOST_LISTED) report.skipped.push({ path, why });
    if (secret !== undefined && report.secrets.length < MOST_LISTED) {
      report.secrets.push({ path, kind: secret });
    }
    if (why === "config" && CONFIG_NAME.test(path.slice(path.lastIndexOf("/") + 1))) {
      await noteConfig(report, path, entry);
    } else if (PLUGIN_PROJECT.test(path)) {
      for (const name of dependenciesIn(await textOf(entry))) {
        addRelink(report, { what: "plugin", name });
      }
    }
  }
  report.taken = [...taken.values()];
  return report;
}

async function noteConfig(report: ImportReport, path: string, entry: TarEntry): Promise<void> {
  const text = await textOf(entry);
  for (const name of secretsInConfig(text)) {
    report.secrets.push({ path: `${path}#${name}`, kind: "config" });
  }
  for (const one of [...channelsInConfig(text), ...pluginsInConfig(text)]) addRelink(report, one);
}

/** Empty when it is larger than such a file is. */
async function textOf(entry: TarEntry): Promise<string> {
  if (entry.size > MAX_CONFIG_BYTES) return "";
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of entry.body()) text += decoder.decode(chunk, { stream: true });
  return text;
}

/**
 * A linked phone's credentials stay behind: the platform wants to be linked again. A plugin's
 * files come in, but what switches it on does not.
 */
function noteRelink(report: ImportReport, path: string): void {
  const [, folder, name, ...rest] = path.split("/");
  if (folder === "credentials" && name !== undefined && !name.includes(".")) {
    addRelink(report, { what: "channel", name: name.slice(0, 100) });
  }
  if (folder === "extensions" && rest.length > 0 && name !== undefined) {
    addRelink(report, { what: "plugin", name: name.slice(0, 100) });
  }
  if (/^[^/]+\/agents\/[^/]+\/agent\/(auth|models)/.test(path)) {
    addRelink(report, { what: "models" });
  }
}

function addRelink(report: ImportReport, one: ImportReport["relink"][number]): void {
  const known = report.relink.some(({ what, name }) => what === one.what && name === one.name);
  if (!known && report.relink.length < MOST_LISTED) report.relink.push(one);
}
