import type { BrowserOverview } from "../../../protocol/browser.ts";
import { Card } from "../../parts/card.tsx";
import { Facts } from "../../parts/facts.tsx";
import { formatDuration } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

export function Today({ overview }: { overview: BrowserOverview }) {
  const { language } = useSpoken();
  const words = useWords(WORDS);
  const { usedTodayMs, dayCapMs, outside } = overview;
  const used = formatDuration(usedTodayMs, language);
  return (
    <Card title={words.today}>
      {dayCapMs === undefined ? (
        <>
          <p className="flex flex-wrap justify-between gap-x-4">
            <span className="font-medium">{words.used}</span>
            <span className="tabular-nums">{used}</span>
          </p>
          <p className="text-kumo-subtle">{words.noCap}</p>
        </>
      ) : (
        <Meter usedMs={usedTodayMs} capMs={dayCapMs} />
      )}
      <div className="mt-4">
        <Facts
          facts={[
            { name: words.outside, value: outside ? words.outsideOpen : words.outsideClosed },
            { name: words.lists, value: words.listsText },
          ]}
        />
      </div>
    </Card>
  );
}

function Meter({ usedMs, capMs }: { usedMs: number; capMs: number }) {
  const { language } = useSpoken();
  const words = useWords(WORDS);
  const text = words.usedOf(formatDuration(usedMs, language), formatDuration(capMs, language));
  const colour = usedMs >= capMs * 0.8 ? "fill-kumo-danger" : "fill-kumo-brand";
  return (
    <>
      <p className="flex flex-wrap justify-between gap-x-4">
        <span className="font-medium">{words.used}</span>
        <span className="text-kumo-subtle tabular-nums">{text}</span>
      </p>
      <svg
        role="meter"
        aria-label={words.used}
        aria-valuemin={0}
        aria-valuemax={capMs}
        aria-valuenow={Math.min(usedMs, capMs)}
        aria-valuetext={text}
        viewBox="0 0 100 4"
        preserveAspectRatio="none"
        className="mt-1 h-2.5 w-full rounded-full"
      >
        <rect width="100" height="4" className="fill-kumo-fill" />
        <rect width={Math.min(100, (usedMs / capMs) * 100)} height="4" className={colour} />
      </svg>
      {usedMs < capMs ? null : <p className="mt-2">{words.capDone}</p>}
    </>
  );
}
