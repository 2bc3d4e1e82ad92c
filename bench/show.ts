/** What a terminal shows of a bench or a soak. */
import type { Outcome } from "./bench.ts";
import { verdict } from "./document.ts";

/** Progress on standard error, with the seconds since now. */
export function teller(): (text: string) => void {
  const began = performance.now();
  return (text) => {
    const at = ((performance.now() - began) / 1000).toFixed(0).padStart(4);
    process.stderr.write(`${at} s  ${text}\n`);
  };
}

export function shown(name: string, { table, goals }: Outcome): string {
  const rows = [table.head, ...table.rows];
  const widths = table.head.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    widths
      .map((width, column) =>
        column === 0 ? (row[0] ?? "").padEnd(width) : (row[column] ?? "").padStart(width),
      )
      .join("   "),
  );
  const ends = goals.map(
    ({ what, measured, goal, met }) => `${what}: ${measured}, goal ${goal}: ${verdict(met)}`,
  );
  return `\n${[name, ...lines, ...ends].join("\n  ")}\n\n`;
}
