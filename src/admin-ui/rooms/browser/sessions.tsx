import { Button } from "@cloudflare/kumo/components/button";
import { useState } from "react";
import { ADMIN_API } from "../../../protocol/admin.ts";
import type { BrowserSessionView } from "../../../protocol/browser.ts";
import { useAct } from "../../parts/act.ts";
import { Confirm } from "../../parts/confirm.tsx";
import { Facts, type Fact } from "../../parts/facts.tsx";
import { useNow } from "../../parts/now.ts";
import { formatAgo, formatMoment } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

/** More would push everything else off the screen. */
const PAGES_SHOWN = 5;

export function Sessions({ sessions }: { sessions: BrowserSessionView[] }) {
  const words = useWords(WORDS);
  if (sessions.length === 0) return <p>{words.noSessions}</p>;
  return (
    <ul className="flex flex-col gap-4">
      {sessions.map((session) => (
        <Session key={session.id} session={session} />
      ))}
    </ul>
  );
}

function Session({ session }: { session: BrowserSessionView }) {
  const { language } = useSpoken();
  const now = useNow();
  const words = useWords(WORDS);
  const release = useAct(ADMIN_API.releaseBrowser, words.released);
  const [asking, setAsking] = useState(false);
  const { id, holder, from, startedAt, connected } = session;
  // The beginning of the id tells two sessions of one holder apart.
  const name = `${words.holders[holder]} ${id.slice(0, 8)}`;
  const facts: Fact[] = [
    {
      name: words.opened,
      value: `${formatMoment(startedAt, language)} (${formatAgo(startedAt, now, language)})`,
    },
    ...(from === "" ? [] : [{ name: words.from, value: from }]),
    ...(connected === undefined
      ? []
      : [{ name: words.state, value: connected ? words.connected : words.alone }]),
    ...pageFacts(session, words),
  ];
  return (
    <li className="border-kumo-line flex flex-col gap-3 border-t pt-4 first:border-t-0 first:pt-0">
      <div className="flex flex-wrap items-baseline justify-between gap-2">
        <p className="min-w-0 font-medium wrap-anywhere">{name}</p>
        <Button
          size="sm"
          variant="secondary-destructive"
          loading={release.busy}
          aria-label={words.of(words.release, name)}
          onClick={() => setAsking(true)}
        >
          {words.release}
        </Button>
      </div>
      <Facts facts={facts} />
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={words.releaseTitle}
        text={words.releaseText}
        action={words.release}
        onConfirm={() => release({ body: { id } })}
      />
    </li>
  );
}

/** Chromium lists the page that was used last first. */
function pageFacts({ pages, pageCount }: BrowserSessionView, words: typeof WORDS.en): Fact[] {
  const [current, ...others] = pages.map((page) => (page === "about:blank" ? words.blank : page));
  if (current === undefined) return [];
  const shown = others.slice(0, PAGES_SHOWN - 1);
  const left = pageCount - 1 - shown.length;
  const rest = [...shown, ...(left > 0 ? [words.more(left)] : [])];
  return [
    { name: words.page, value: current },
    ...(rest.length === 0 ? [] : [{ name: words.pages, value: rest.join(" · ") }]),
  ];
}
