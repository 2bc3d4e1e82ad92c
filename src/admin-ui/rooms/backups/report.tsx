import type { ImportReport } from "../../../protocol/import.ts";
import { Table } from "../../parts/table.tsx";
import { formatBytes, formatNumber } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

/** What a dry run found: what comes in, what stays out, what is to be done by hand. */
export function Report({ report }: { report: ImportReport }) {
  const { language } = useSpoken();
  const { report: words } = useWords(WORDS);
  const number = (value: number) => formatNumber(value, language);
  const bytes = (value: number) => formatBytes(value, language);
  const { root, files, taken, secrets, relink, skipped, skippedFiles } = report;
  return (
    <section aria-label={words.title} className="flex flex-col gap-4">
      <div>
        <h3 className="font-medium">{words.title}</h3>
        <p className="text-kumo-subtle wrap-anywhere">
          {words.sum(number(files), bytes(report.bytes))} {root === "" ? "" : words.root(root)}
        </p>
      </div>
      {taken.length === 0 ? null : (
        <Table
          label={`${words.title}: ${words.folder}`}
          head={[words.folder, words.filesHead, words.size]}
          rows={taken.map((one) => [
            one.path === "" ? words.top : one.path,
            number(one.files),
            bytes(one.bytes),
          ])}
        />
      )}
      {relink.length === 0 ? null : (
        <div>
          <h4 className="text-sm font-medium">{words.relink}</h4>
          <ul className="mt-1 list-disc pl-5 text-sm wrap-anywhere">
            {relink.map((one) => (
              <li key={`${one.what} ${one.name ?? ""}`}>{words.relinks(one)}</li>
            ))}
          </ul>
        </div>
      )}
      <div>
        <h4 className="text-sm font-medium">{words.secrets}</h4>
        <p className="text-kumo-subtle text-sm">{words.secretsInside}</p>
        {secrets.length === 0 ? null : (
          <>
            <p className="text-kumo-subtle text-sm">{words.secretsHelp}</p>
            <Paths entries={secrets.map(({ path, kind }) => [path, words.kinds[kind]])} />
          </>
        )}
      </div>
      {skippedFiles === 0 ? null : (
        <details>
          <summary className="text-kumo-subtle focus-visible:outline-kumo-brand w-fit cursor-pointer text-sm focus-visible:outline-2">
            {words.skipped(number(skippedFiles))}
          </summary>
          <Paths entries={skipped.map(({ path, why }) => [path, words.why[why]])} />
        </details>
      )}
    </section>
  );
}

function Paths({ entries }: { entries: [path: string, about: string][] }) {
  return (
    <ul className="mt-1 flex flex-col gap-0.5 text-sm wrap-anywhere">
      {entries.map(([path, about]) => (
        <li key={`${path} ${about}`}>
          <code className="text-xs">{path}</code> <span className="text-kumo-subtle">{about}</span>
        </li>
      ))}
    </ul>
  );
}
