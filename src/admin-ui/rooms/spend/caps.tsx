import { Button } from "@cloudflare/kumo/components/button";
import { useState } from "react";
import { SPEND_API, type CapMeter, type SpendOverview } from "../../../protocol/spend.ts";
import { useAct } from "../../parts/act.ts";
import { Card } from "../../parts/card.tsx";
import { Confirm } from "../../parts/confirm.tsx";
import { formatNumber, formatUsd } from "../../text/format.ts";
import { useSpoken, useWords, type Language } from "../../text/text.tsx";
import { CapsDialog } from "./caps-dialog.tsx";
import { WORDS } from "./words.ts";

export function Caps({ overview }: { overview: SpendOverview }) {
  const { caps: words } = useWords(WORDS);
  const [asking, setAsking] = useState<"raise" | "change">();
  const raise = useAct(SPEND_API.raise, words.raiseDone);
  const { meters } = overview;
  return (
    <Card title={words.title}>
      <p className="text-kumo-subtle mb-3">{meters.length === 0 ? words.none : words.about}</p>
      <ul className="flex flex-col gap-4">
        {meters.map((meter) => (
          <li key={`${meter.period} ${meter.unit}`}>
            <Meter meter={meter} />
          </li>
        ))}
      </ul>
      <div className="mt-4 flex flex-wrap gap-2">
        {meters.length === 0 ? null : (
          <Button variant="primary" loading={raise.busy} onClick={() => setAsking("raise")}>
            {words.raise}
          </Button>
        )}
        <Button onClick={() => setAsking("change")}>{words.change}</Button>
      </div>
      <Confirm
        open={asking === "raise"}
        onOpenChange={() => setAsking(undefined)}
        title={words.raiseTitle}
        text={words.raiseText}
        action={words.raise}
        onConfirm={() => raise({ body: {} })}
      />
      <CapsDialog
        open={asking === "change"}
        onOpenChange={() => setAsking(undefined)}
        caps={overview.settings.caps}
      />
    </Card>
  );
}

/** What is spent, then what is under way, of what is allowed. */
function Meter({ meter }: { meter: CapMeter }) {
  const { language } = useSpoken();
  const { caps: words } = useWords(WORDS);
  const { period, unit, cap, spent, reserved, raised } = meter;
  const name = words.names[period][unit];
  const amount = (value: number) => formatAmount(value, unit, language);
  const text = [
    words.used(amount(spent), amount(cap)),
    ...(reserved > 0 ? [words.reserved(amount(reserved))] : []),
    ...(raised > 0 ? [words.raised(amount(raised))] : []),
  ].join(" · ");
  const share = (value: number) => Math.min(100, (value / cap) * 100);
  const colour = spent >= cap * 0.8 ? "fill-kumo-danger" : "fill-kumo-brand";
  return (
    <>
      <p className="flex flex-wrap justify-between gap-x-4">
        <span className="font-medium">{name}</span>
        <span className="text-kumo-subtle tabular-nums">{text}</span>
      </p>
      <svg
        role="meter"
        aria-label={name}
        aria-valuemin={0}
        aria-valuemax={cap}
        aria-valuenow={Math.min(spent, cap)}
        aria-valuetext={text}
        viewBox="0 0 100 4"
        preserveAspectRatio="none"
        className="mt-1 h-2.5 w-full rounded-full"
      >
        <rect width="100" height="4" className="fill-kumo-fill" />
        <rect width={share(spent + reserved)} height="4" className="fill-kumo-warning" />
        <rect width={share(spent)} height="4" className={colour} />
      </svg>
    </>
  );
}

function formatAmount(value: number, unit: CapMeter["unit"], language: Language): string {
  return unit === "usd" ? formatUsd(value, language) : formatNumber(value, language);
}
