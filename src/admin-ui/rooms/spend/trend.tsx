import { LinkButton } from "@cloudflare/kumo/components/button";
import { DownloadSimpleIcon } from "@phosphor-icons/react/dist/csr/DownloadSimple";
import { useMemo } from "react";
import type { SpendOverview } from "../../../protocol/spend.ts";
import { Card } from "../../parts/card.tsx";
import { formatNumber, formatUsd } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import type { BarChart } from "./bars.ts";
import { Chart } from "./chart.tsx";
import { formatDay, formatShort } from "./figure-format.ts";
import { WORDS } from "./words.ts";

const DAY_MS = 86_400_000;
const DAYS = 31;

/** What each day cost; a day without calls is a gap, not left out. */
export function Trend({ overview }: { overview: SpendOverview }) {
  const { language } = useSpoken();
  const words = useWords(WORDS);
  const { day: today, trend } = overview;
  const chart = useMemo((): BarChart => {
    const byDay = new Map(trend.map((sums) => [sums.day, sums]));
    const days = lastDays(today);
    const all = days.map((day) => byDay.get(day));
    return {
      labels: days.map((day) => formatDay(day, language)),
      series: [
        {
          name: words.trend.counted,
          tone: "main",
          values: all.map((sums) => (sums?.usd ?? 0) - (sums?.boundUsd ?? 0)),
        },
        { name: words.trend.bound, tone: "faint", values: all.map((sums) => sums?.boundUsd ?? 0) },
      ],
      lying: false,
      format: (usd) => formatUsd(usd, language),
    };
  }, [trend, today, language, words]);
  const usd = trend.reduce((sum, one) => sum + one.usd, 0);
  return (
    <Card
      title={words.trend.title}
      aside={
        <LinkButton href="/api/spend/days.csv" download size="sm" icon={DownloadSimpleIcon}>
          {words.trend.export}
        </LinkButton>
      }
    >
      {trend.length === 0 ? (
        <p>{words.none}</p>
      ) : (
        <Chart
          chart={chart}
          summary={words.trend.summary(
            formatNumber(trend.length, language),
            formatUsd(usd, language),
          )}
          table={{
            label: words.tableOf(words.trend.title),
            head: [words.trend.day, words.trend.cost, words.trend.calls, words.trend.tokens],
            rows: trend
              .toReversed()
              .map((sums) => [
                formatDay(sums.day, language),
                formatUsd(sums.usd, language),
                formatNumber(sums.calls, language),
                formatShort(sums.tokens, language),
              ]),
          }}
        />
      )}
    </Card>
  );
}

function lastDays(today: string): string[] {
  const last = Date.parse(today);
  return Array.from({ length: DAYS }, (_, index) =>
    new Date(last - (DAYS - 1 - index) * DAY_MS).toISOString().slice(0, 10),
  );
}
