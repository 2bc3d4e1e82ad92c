import { Button } from "@cloudflare/kumo/components/button";
import { Input } from "@cloudflare/kumo/components/input";
import { useState } from "react";
import type { AdminStatus } from "../../../protocol/admin.ts";
import type { GenerationView } from "../../../protocol/admin-backups.ts";
import { Card } from "../../parts/card.tsx";
import { formatDay, formatNumber } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { byDay, until } from "./days.ts";
import { Generation } from "./generation.tsx";
import type { Job } from "./progress.tsx";
import { WORDS } from "./words.ts";

const PAGE = 12;

interface TimelineProps {
  /** Newest first. */
  generations: readonly GenerationView[];
  status: AdminStatus;
  follow(job: Job | undefined): void;
}

export function Timeline({ generations, status, follow }: TimelineProps) {
  const { language } = useSpoken();
  const { timeline: words } = useWords(WORDS);
  const [moment, setMoment] = useState("");
  const [shown, setShown] = useState(PAGE);
  const parsed = new Date(moment).getTime();
  const fitting = until(generations, Number.isNaN(parsed) ? undefined : parsed);
  const newest = generations[0]?.generation;
  return (
    <Card
      title={words.title}
      aside={
        <span className="text-kumo-subtle text-sm">
          {words.count(formatNumber(generations.length, language))}
        </span>
      }
    >
      {generations.length === 0 ? (
        <p>{words.none}</p>
      ) : (
        <div className="flex flex-wrap items-end gap-2">
          <Input
            type="datetime-local"
            label={words.until}
            description={words.untilHelp}
            value={moment}
            onChange={(event) => {
              setMoment(event.target.value);
              setShown(PAGE);
            }}
          />
          {moment === "" ? null : <Button onClick={() => setMoment("")}>{words.untilClear}</Button>}
        </div>
      )}
      {generations.length > 0 && fitting.length === 0 ? (
        <p className="mt-4">{words.noneThen}</p>
      ) : null}
      {byDay(fitting.slice(0, shown)).map(({ at, generations: day }) => (
        // Not its newest time: a backup that comes must not close a question about another.
        <section key={new Date(at).toDateString()} className="mt-5">
          <h3 className="text-kumo-subtle mb-2 text-sm font-medium">{formatDay(at, language)}</h3>
          <ol className="border-kumo-line ml-1.5 flex flex-col gap-5 border-l">
            {day.map((one) => (
              <Generation
                key={one.generation}
                generation={one}
                newest={one.generation === newest}
                status={status}
                follow={follow}
              />
            ))}
          </ol>
        </section>
      ))}
      {fitting.length > shown ? (
        <Button className="mt-4" onClick={() => setShown(shown + PAGE)}>
          {words.more}
        </Button>
      ) : null}
    </Card>
  );
}
