import { Button } from "@cloudflare/kumo/components/button";
import { useState } from "react";
import type { RefusedHost } from "../../../protocol/admin.ts";
import { useNow } from "../../parts/now.ts";
import { formatAgo, formatNumber } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { AllowDialog } from "./allow.tsx";
import { WORDS } from "./words.ts";

interface RefusedProps {
  hosts: readonly RefusedHost[];
  /** `EGRESS_ALLOW` as it is. */
  allow: string | undefined;
}

export function RefusedHosts({ hosts, allow }: RefusedProps) {
  const words = useWords(WORDS);
  if (hosts.length === 0) return <p>{words.refusedNone}</p>;
  const latest = [...hosts].sort((a, b) => b.lastAt - a.lastAt);
  return (
    <ul className="flex flex-col">
      {latest.map((host) => (
        <Row key={host.host} host={host} allow={allow} />
      ))}
    </ul>
  );
}

function Row({
  host: { host, times, lastAt },
  allow,
}: {
  host: RefusedHost;
  allow: string | undefined;
}) {
  const { language } = useSpoken();
  const now = useNow();
  const words = useWords(WORDS);
  const [asking, setAsking] = useState(false);
  return (
    <li className="border-kumo-line flex flex-wrap items-center justify-between gap-2 border-t py-2 first:border-t-0">
      <p className="min-w-0 wrap-anywhere">
        <code>{host}</code>{" "}
        <span className="text-kumo-subtle text-sm">
          {words.times(formatNumber(times, language))} ·{" "}
          {words.last(formatAgo(lastAt, now, language))}
        </span>
      </p>
      {isName(host) ? (
        <Button size="sm" aria-label={words.allowOf(host)} onClick={() => setAsking(true)}>
          {words.allow}
        </Button>
      ) : null}
      <AllowDialog open={asking} onOpenChange={setAsking} host={host} allow={allow} />
    </li>
  );
}

/** What no setting could name is counted under a name in brackets. */
function isName(host: string): boolean {
  return /^[\w.-]+$/.test(host);
}
