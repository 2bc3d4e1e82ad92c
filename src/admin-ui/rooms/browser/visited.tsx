import type { BrowserOverview } from "../../../protocol/browser.ts";
import { Card } from "../../parts/card.tsx";
import { formatMoment } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

/** Addresses as text: a link here would lead the admin to wherever a page led the agent. */
export function Visited({ visited }: { visited: BrowserOverview["visited"] }) {
  const { language } = useSpoken();
  const words = useWords(WORDS);
  return (
    <Card title={words.visited}>
      {visited.length === 0 ? (
        <p>{words.noVisited}</p>
      ) : (
        <>
          <p className="text-kumo-subtle mb-3">{words.visitedHelp}</p>
          <ol className="flex flex-col gap-3">
            {visited.map(({ url, at, holder }) => (
              <li key={`${at} ${url}`}>
                <p className="wrap-anywhere">{url}</p>
                <p className="text-kumo-subtle text-sm">
                  <time dateTime={new Date(at).toISOString()}>{formatMoment(at, language)}</time>
                  {" · "}
                  {words.holders[holder]}
                </p>
              </li>
            ))}
          </ol>
        </>
      )}
    </Card>
  );
}
