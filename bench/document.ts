/** The measured parts of a document, each between its two marks. */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { PROJECT_ROOT } from "../src/build/paths.ts";
import type { Outcome, Table } from "./bench.ts";

/**
 * Writes one part.
 *
 * @param part as its mark names it: `bench:backups`
 * @throws Error when the document has no place for it
 */
export async function writeResult(
  document: string,
  part: string,
  outcome: Outcome,
  machine: string,
): Promise<void> {
  const file = path.join(PROJECT_ROOT, document);
  const text = await readFile(file, "utf8");
  const place = new RegExp(
    `(<!-- generated:${part} -->\\n)[\\s\\S]*?(<!-- /generated:${part} -->)`,
  );
  if (!place.test(text)) throw new Error(`${document} has no place for ${part}`);
  const body = [
    outcome.how,
    markdownTable(outcome.table),
    ...(outcome.goals.length === 0 ? [] : [goalList(outcome)]),
    `Measured ${machine}.`,
  ].join("\n\n");
  await writeFile(
    file,
    text.replace(place, (_all, open: string, close: string) => `${open}\n${body}\n\n${close}`),
  );
}

function goalList(outcome: Outcome): string {
  return outcome.goals
    .map((one) => `- ${one.what}: **${one.measured}**, goal ${one.goal}: ${verdict(one.met)}`)
    .join("\n");
}

export function verdict(met: boolean): string {
  return met ? "met" : "not met";
}

/** As the formatter of this repository lays a table out. */
function markdownTable({ head, rows }: Table): string {
  const widths = head.map((cell, column) =>
    Math.max(3, cell.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => pad(cells[column] ?? "", width, column)).join(" | ")} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [line(head), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}
