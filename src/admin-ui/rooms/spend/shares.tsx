import { useMemo } from "react";
import type { SpendOverview, SpendSums } from "../../../protocol/spend.ts";
import { Card } from "../../parts/card.tsx";
import { formatNumber, formatUsd } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import type { BarChart } from "./bars.ts";
import { Chart } from "./chart.tsx";
import { formatShort } from "./figure-format.ts";
import { WORDS } from "./words.ts";

/** More bars than this are no picture; the table has them all. */
const SHOWN = 8;

type Share = SpendSums & { name: string };

export function ByModel({ overview }: { overview: SpendOverview }) {
  const { byModel: words } = useWords(WORDS);
  const shares = useMemo(
    () => overview.byModel.map((sums) => ({ ...sums, name: `${sums.provider}/${sums.model}` })),
    [overview.byModel],
  );
  return <Shares title={words.title} of={words.model} shares={shares} />;
}

export function ByChannel({ overview }: { overview: SpendOverview }) {
  const { byChannel: words } = useWords(WORDS);
  const shares = useMemo(
    () =>
      overview.byChannel.map((sums) => ({
        ...sums,
        name: sums.channel === "" ? words.unknown : sums.channel,
      })),
    [overview.byChannel, words],
  );
  return <Shares title={words.title} of={words.channel} shares={shares} />;
}

function Shares({ title, of, shares }: { title: string; of: string; shares: Share[] }) {
  const { language } = useSpoken();
  const words = useWords(WORDS);
  const chart = useMemo((): BarChart => {
    const rest = shares.slice(SHOWN).reduce((sum, { usd }) => sum + usd, 0);
    const shown = [
      ...shares.slice(0, SHOWN).map(({ name, usd }) => ({ name, usd })),
      ...(shares.length > SHOWN ? [{ name: words.byModel.rest, usd: rest }] : []),
    ];
    return {
      labels: shown.map(({ name }) => name),
      series: [{ name: words.trend.cost, tone: "main", values: shown.map(({ usd }) => usd) }],
      lying: true,
      format: (usd) => formatUsd(usd, language),
    };
  }, [shares, language, words]);
  const [most] = shares;
  return (
    <Card title={title}>
      {most === undefined ? (
        <p>{words.none}</p>
      ) : (
        <Chart
          chart={chart}
          summary={words.shareSummary(most.name, formatUsd(most.usd, language))}
          table={{
            label: words.tableOf(title),
            head: [of, words.trend.cost, words.trend.calls, words.trend.tokens],
            rows: shares.map((share) => [
              share.name,
              formatUsd(share.usd, language),
              formatNumber(share.calls, language),
              formatShort(share.tokens, language),
            ]),
          }}
        />
      )}
    </Card>
  );
}

/** Status codes of providers, or the word for why there was none. */
export function ByStatus({ overview }: { overview: SpendOverview }) {
  const { language } = useSpoken();
  const words = useWords(WORDS);
  const { byStatus: all } = overview;
  const chart = useMemo((): BarChart => {
    const count = (wanted: boolean) =>
      all.map(({ status, calls }) => (isGood(status) === wanted ? calls : 0));
    return {
      labels: all.map(({ status }) => status),
      series: [
        { name: words.byStatus.good, tone: "main", values: count(true) },
        { name: words.byStatus.bad, tone: "bad", values: count(false) },
      ],
      lying: true,
      format: (calls) => formatNumber(calls, language),
    };
  }, [all, language, words]);
  const calls = all.reduce((sum, one) => sum + one.calls, 0);
  return (
    <Card title={words.byStatus.title}>
      {all.length === 0 ? (
        <p>{words.none}</p>
      ) : (
        <Chart
          chart={chart}
          summary={words.byStatus.summary(formatNumber(calls, language))}
          table={{
            label: words.tableOf(words.byStatus.title),
            head: [words.byStatus.status, words.trend.calls],
            rows: all.map((one) => [one.status, formatNumber(one.calls, language)]),
          }}
        />
      )}
    </Card>
  );
}

function isGood(status: string): boolean {
  return /^2\d\d$/.test(status) || status === "open";
}
