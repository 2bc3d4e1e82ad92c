import { Button } from "@cloudflare/kumo/components/button";
import { Input } from "@cloudflare/kumo/components/input";
import { Select } from "@cloudflare/kumo/components/select";
import { DownloadSimpleIcon } from "@phosphor-icons/react/dist/csr/DownloadSimple";
import { PauseIcon } from "@phosphor-icons/react/dist/csr/Pause";
import { PlayIcon } from "@phosphor-icons/react/dist/csr/Play";
import { useLayoutEffect, useRef, useState } from "react";
import type { LogLine } from "../../../protocol/control.ts";
import type { LogSource } from "../../live/stream.ts";
import { Card } from "../../parts/card.tsx";
import { formatClock } from "../../text/format.ts";
import { saveText } from "../../parts/save.ts";
import { useSpoken, useText } from "../../text/text.tsx";
import { matches, type Level } from "./lines.ts";
import { useLogLines } from "./tail.ts";

/** More rows make a browser slow and nobody reads them; the download holds all. */
const SHOWN = 1000;

export function LogsRoom() {
  const text = useText();
  const [source, setSource] = useState<LogSource>("gateway");
  const [level, setLevel] = useState<Level>("debug");
  const [search, setSearch] = useState("");
  const tail = useLogLines(source);
  const fitting = tail.lines.filter((line) => matches(line, level, search));
  const { logs } = text;
  return (
    <>
      <div className="grid grid-cols-1 gap-3 sm:grid-cols-3">
        <Select
          label={logs.source}
          value={source}
          onValueChange={(value) => setSource(value === "supervisor" ? value : "gateway")}
          items={{ gateway: logs.gateway, supervisor: logs.supervisor }}
        />
        <Select
          label={logs.level}
          value={level}
          onValueChange={(value) => setLevel(value ?? "debug")}
          items={logs.levels}
        />
        <Input
          label={logs.search}
          type="search"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <Button
          icon={tail.paused ? PlayIcon : PauseIcon}
          onClick={() => (tail.paused ? tail.resume() : tail.pause())}
        >
          {tail.paused ? logs.resume : logs.pause}
        </Button>
        <Button icon={DownloadSimpleIcon} onClick={() => download(source, fitting)}>
          {logs.download}
        </Button>
        <p role="status" className="text-kumo-subtle text-sm">
          {tail.paused ? logs.paused(tail.waiting) : ""}
        </p>
      </div>
      <Card
        title={logs.log}
        aside={
          <span className="text-kumo-subtle text-sm">
            {logs.count(fitting.length, tail.lines.length)}
          </span>
        }
      >
        <Lines lines={fitting.slice(-SHOWN)} none={tail.lines.length === 0} />
      </Card>
      <p className="text-kumo-subtle text-sm">{logs.redacted}</p>
    </>
  );
}

const COLOUR: Record<LogLine["level"], string> = {
  debug: "text-kumo-subtle",
  info: "text-kumo-default",
  warn: "text-kumo-default font-semibold",
  error: "text-kumo-danger font-semibold",
};

function Lines({ lines, none }: { lines: LogLine[]; none: boolean }) {
  const { text, language } = useSpoken();
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const last = lines.at(-1)?.n;

  // The newest line stays in sight unless the reader has scrolled away from it.
  useLayoutEffect(() => {
    if (atEnd.current) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [last]);

  if (lines.length === 0) {
    return (
      <>
        <p>{none ? text.logs.none : text.logs.noMatch}</p>
        {none ? <p className="text-kumo-subtle">{text.logs.noneHelp}</p> : null}
      </>
    );
  }
  return (
    // A box that scrolls has to be reachable by keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div
      ref={box}
      role="log"
      aria-label={text.logs.log}
      aria-live="off"
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < 40;
      }}
      className="max-h-[60vh] overflow-auto font-mono text-xs leading-5"
    >
      {lines.map((line) => (
        <p
          key={`${line.source} ${line.n}`}
          className={`wrap-anywhere whitespace-pre-wrap ${COLOUR[line.level]}`}
        >
          <time className="text-kumo-subtle" dateTime={new Date(line.at).toISOString()}>
            {formatClock(line.at, language)}
          </time>{" "}
          {line.level === "warn" || line.level === "error" ? `${line.level.toUpperCase()} ` : ""}
          {line.text}
        </p>
      ))}
    </div>
  );
}

function download(source: LogSource, lines: LogLine[]): void {
  const rows = lines.map(
    ({ at, level, text }) => `${new Date(at).toISOString()} ${level} ${text}\n`,
  );
  saveText(`${source}.log`, rows.join(""));
}
