import type { AdminStatus } from "../../../protocol/admin.ts";
import { useChannels, useSpend } from "../../live/queries.ts";
import { Card } from "../../parts/card.tsx";
import { Figure } from "../../parts/figure.tsx";
import { useNow } from "../../parts/now.ts";
import { formatAgo, formatMoment, formatUsd } from "../../text/format.ts";
import { useSpoken, type Language } from "../../text/text.tsx";

/** What a person who runs the agent wants to know first. */
export function Glance({ status }: { status: AdminStatus }) {
  const { text, language } = useSpoken();
  const now = useNow();
  const words = text.overview.glance;
  const { backups, kept } = status;
  const age = (at: number | undefined) =>
    at === undefined ? words.never : formatAgo(at, now, language);
  const when = (at: number | undefined) => (at === undefined ? [] : [formatMoment(at, language)]);
  return (
    <Card title={words.title}>
      <dl className="grid grid-cols-1 gap-4 sm:grid-cols-2 lg:grid-cols-4">
        <Figure
          name={words.backup}
          value={kept ? age(backups?.lastAt) : words.notKept}
          about={kept ? when(backups?.lastAt) : [words.notKeptHelp]}
        />
        <Figure
          name={words.verified}
          value={kept ? age(backups?.verifiedAt) : "–"}
          about={when(backups?.verifiedAt)}
        />
        <SpendFigure language={language} />
        <ChannelFigure status={status} />
      </dl>
    </Card>
  );
}

function SpendFigure({ language }: { language: Language }) {
  const { text } = useSpoken();
  const words = text.overview.glance;
  const { data } = useSpend();
  if (data === undefined) return <Figure name={words.spend} value="–" about={[]} />;
  const day = data.meters.find(({ period, unit }) => period === "day" && unit === "usd");
  return (
    <Figure
      name={words.spend}
      value={formatUsd(data.today.usd, language)}
      about={[
        words.calls(data.today.calls),
        day === undefined ? words.noCap : words.cap(formatUsd(day.cap, language)),
      ]}
    />
  );
}

function ChannelFigure({ status }: { status: AdminStatus }) {
  const { text } = useSpoken();
  const words = text.overview.glance;
  const { data } = useChannels();
  const { waiting, dead } = status.channels;
  const channels = data?.channels ?? [];
  const connected = channels.filter(({ connection }) => connection === "connected").length;
  return (
    <Figure
      name={words.channels}
      value={
        data === undefined
          ? "–"
          : channels.length === 0
            ? words.noChannels
            : words.connected(connected, channels.length)
      }
      about={[
        ...(waiting === 0 ? [] : [words.waiting(waiting)]),
        ...(dead === 0 ? [] : [words.dead(dead)]),
      ]}
    />
  );
}
