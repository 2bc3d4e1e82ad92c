import { lazy, Suspense } from "react";
import type { BarChart } from "./bars.ts";
import { Table, type TableProps } from "../../parts/table.tsx";
import { useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

const Canvas = lazy(async () => ({ default: (await import("./canvas.tsx")).Canvas }));

interface ChartProps {
  chart: BarChart;
  /** What the picture says, for those who do not see it. */
  summary: string;
  table: TableProps;
}

/** A picture, and the same numbers as a table. The library that draws is loaded when one is shown. */
export function Chart({ chart, summary, table }: ChartProps) {
  const words = useWords(WORDS);
  return (
    <figure className="flex flex-col gap-3">
      <div role="img" aria-label={summary} className="h-64 w-full">
        <Suspense fallback={null}>
          <Canvas chart={chart} />
        </Suspense>
      </div>
      <details>
        <summary className="text-kumo-subtle focus-visible:outline-kumo-brand w-fit cursor-pointer text-sm focus-visible:outline-2">
          {words.asTable}
        </summary>
        <div className="mt-2">
          <Table {...table} />
        </div>
      </details>
    </figure>
  );
}
