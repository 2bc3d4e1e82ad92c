import type { SpendOverview, SpendSums } from "../../../protocol/spend.ts";
import { Card } from "../../parts/card.tsx";
import { Figure } from "../../parts/figure.tsx";
import { formatNumber, formatUsd } from "../../text/format.ts";
import { useSpoken, useWords, type Language } from "../../text/text.tsx";
import { formatLatency, formatShare, formatShort } from "./figure-format.ts";
import { WORDS } from "./words.ts";
import type { Words } from "./words-en.ts";

export function Figures({ overview }: { overview: SpendOverview }) {
  const { language } = useSpoken();
  const words = useWords(WORDS);
  const { today, month, latency } = overview;
  const { figures } = words;
  const first = latency.firstByteP50;
  return (
    <Card title={figures.title}>
      <dl className="grid grid-cols-1 gap-4 sm:grid-cols-2 lg:grid-cols-3">
        <Figure
          name={figures.today}
          value={formatUsd(today.usd, language)}
          about={about(today, words, language)}
        />
        <Figure
          name={figures.month}
          value={formatUsd(month.usd, language)}
          about={about(month, words, language)}
        />
        <Figure
          name={figures.firstByte}
          value={first === undefined ? "–" : formatLatency(first, language)}
          about={[
            latency.firstByteP95 === undefined
              ? figures.noLatency
              : figures.firstByteHelp(formatLatency(latency.firstByteP95, language)),
          ]}
        />
        <Figure
          name={figures.cached}
          value={formatShare(share(month.cached, month.calls), language)}
          about={[figures.cachedHelp(formatNumber(month.cached, language))]}
        />
        <Figure
          name={figures.failed}
          value={formatShare(share(month.failed, month.calls), language)}
          about={[figures.cachedHelp(formatNumber(month.failed, language))]}
        />
      </dl>
    </Card>
  );
}

function about(sums: SpendSums, { figures }: Words, language: Language): string[] {
  return [
    figures.calls(formatNumber(sums.calls, language), formatShort(sums.tokens, language)),
    ...(sums.boundUsd > 0 ? [figures.bound(formatUsd(sums.boundUsd, language))] : []),
    ...(sums.unknownPriceUsd > 0
      ? [figures.unknown(formatUsd(sums.unknownPriceUsd, language))]
      : []),
  ];
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
