import { Badge } from "@cloudflare/kumo/components/badge";
import { Button, LinkButton } from "@cloudflare/kumo/components/button";
import { Loader } from "@cloudflare/kumo/components/loader";
import { DownloadSimpleIcon } from "@phosphor-icons/react/dist/csr/DownloadSimple";
import type { SpendCall } from "../../../protocol/spend.ts";
import { Card } from "../../parts/card.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { formatMoment, formatNumber, formatUsd } from "../../text/format.ts";
import { useSpoken, useText, useWords } from "../../text/text.tsx";
import { CallTexts } from "./call-texts.tsx";
import { formatLatency } from "./figure-format.ts";
import { useCalls } from "./queries.ts";
import { WORDS } from "./words.ts";

export function Calls() {
  const text = useText();
  const words = useWords(WORDS);
  const query = useCalls();
  const calls = query.data?.pages.flatMap((page) => page.calls);
  return (
    <Card
      title={words.calls.title}
      aside={
        <LinkButton href="/api/spend/calls.csv" download size="sm" icon={DownloadSimpleIcon}>
          {words.calls.export}
        </LinkButton>
      }
    >
      {calls === undefined ? (
        query.error === null ? (
          <Loader aria-label={text.loading} />
        ) : (
          <Trouble error={query.error} retry={() => void query.refetch()} />
        )
      ) : calls.length === 0 ? (
        <p>{words.none}</p>
      ) : (
        <ol className="flex flex-col gap-3">
          {calls.map((call) => (
            <Call key={call.n} call={call} />
          ))}
        </ol>
      )}
      {query.isFetchNextPageError ? <Trouble error={query.error} /> : null}
      {query.hasNextPage ? (
        <Button
          className="mt-4"
          loading={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {words.calls.more}
        </Button>
      ) : null}
    </Card>
  );
}

function Call({ call }: { call: SpendCall }) {
  const { language } = useSpoken();
  const { calls: words } = useWords(WORDS);
  const count = (value: number) => formatNumber(value, language);
  const details = [
    words.routes[call.route],
    ...(call.attempt > 1 ? [words.attempt(call.attempt)] : []),
    ...(call.channel === undefined ? [] : [call.channel]),
    words.tokens(count(call.input), count(call.output)),
    ...(call.cacheRead > 0 ? [words.cacheRead(count(call.cacheRead))] : []),
    ...(call.cacheWrite > 0 ? [words.cacheWrite(count(call.cacheWrite))] : []),
    ...(call.reasoning > 0 ? [words.reasoning(count(call.reasoning))] : []),
    ...(call.firstByteMs === undefined || call.totalMs === undefined
      ? []
      : [
          words.times(
            formatLatency(call.firstByteMs, language),
            formatLatency(call.totalMs, language),
          ),
        ]),
    ...(call.priceKnown ? [] : [words.noPrice]),
  ];
  return (
    <li className="border-kumo-line border-t pt-3 first:border-t-0 first:pt-0">
      <p className="flex flex-wrap items-baseline justify-between gap-x-4">
        <span className="min-w-0 font-medium wrap-anywhere">
          {call.provider}/{call.model}
        </span>
        <span className="tabular-nums">{formatUsd(call.usd, language)}</span>
      </p>
      <p className="text-kumo-subtle flex flex-wrap items-center gap-x-2 gap-y-1 text-sm">
        <time dateTime={new Date(call.at).toISOString()}>{formatMoment(call.at, language)}</time>
        <State call={call} />
        <span className="min-w-0 wrap-anywhere">{details.join(" · ")}</span>
      </p>
      {call.texts ? <CallTexts n={call.n} /> : null}
    </li>
  );
}

function State({ call }: { call: SpendCall }) {
  const { calls: words } = useWords(WORDS);
  const failed = call.reason !== undefined || (call.status ?? 200) >= 400;
  const outcome = [call.status, call.reason].filter((part) => part !== undefined).join(" ");
  return (
    <Badge
      appearance="dot"
      variant={failed ? "warning" : call.state === "open" ? "neutral" : "success"}
    >
      {outcome === "" ? words.states[call.state] : `${outcome}: ${words.states[call.state]}`}
    </Badge>
  );
}
