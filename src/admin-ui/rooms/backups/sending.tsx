import { Button } from "@cloudflare/kumo/components/button";
import type { ImportView } from "../../../protocol/import.ts";
import { formatBytes } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { arrivedBytes } from "./upload.ts";
import type { Upload } from "./use-upload.ts";
import { WORDS } from "./words.ts";

/** An upload under way, or paused. */
export function Sending({ view, upload }: { view: ImportView; upload: Upload }) {
  const { language } = useSpoken();
  const { imports: words } = useWords(WORDS);
  const sent = arrivedBytes(view);
  const text = words.progress(formatBytes(sent, language), formatBytes(view.bytes, language));
  const label = words.sending(view.name);
  const state = upload.waiting ? words.waiting : upload.sending ? "" : words.paused;
  return (
    <div className="mt-4 flex flex-col gap-2">
      <p className="flex flex-wrap justify-between gap-x-4">
        <span className="min-w-0 font-medium wrap-anywhere">{label}</span>
        <span className="text-kumo-subtle tabular-nums">{text}</span>
      </p>
      <div
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={view.bytes}
        aria-valuenow={sent}
        aria-valuetext={text}
        className="bg-kumo-fill h-2.5 overflow-hidden rounded-full"
      >
        <div
          className="bg-kumo-brand h-full rounded-full"
          style={{ width: `${(sent / view.bytes) * 100}%` }}
        />
      </div>
      <div className="flex flex-wrap items-center gap-2">
        {upload.sending ? (
          <Button onClick={upload.pause}>{words.pause}</Button>
        ) : (
          <Button onClick={upload.resume}>{words.resume}</Button>
        )}
        <p role="status" className="text-kumo-subtle text-sm">
          {state}
        </p>
      </div>
    </div>
  );
}
