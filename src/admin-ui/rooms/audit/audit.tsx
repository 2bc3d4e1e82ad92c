import { Button, LinkButton } from "@cloudflare/kumo/components/button";
import { Loader } from "@cloudflare/kumo/components/loader";
import { DownloadSimpleIcon } from "@phosphor-icons/react/dist/csr/DownloadSimple";
import type { AuditEntry } from "../../../protocol/admin-audit.ts";
import { useAudit } from "../../live/queries.ts";
import { Card } from "../../parts/card.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { formatMoment } from "../../text/format.ts";
import { useSpoken, useText, useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

export function AuditRoom() {
  const text = useText();
  const audit = useAudit();
  const words = useWords(WORDS);
  if (audit.data === undefined) {
    return audit.error === null ? (
      <Loader aria-label={text.loading} />
    ) : (
      <Trouble error={audit.error} retry={() => void audit.refetch()} />
    );
  }
  const entries = audit.data.pages.flatMap((page) => page.entries);
  return (
    <>
      <p className="text-kumo-subtle">{words.about}</p>
      <Card
        title={words.log}
        aside={
          <LinkButton href="/api/audit/export" download size="sm" icon={DownloadSimpleIcon}>
            {words.export}
          </LinkButton>
        }
      >
        {entries.length === 0 ? (
          <p>{words.none}</p>
        ) : (
          <ol className="flex flex-col gap-3">
            {entries.map((entry) => (
              <Entry key={entry.n} entry={entry} />
            ))}
          </ol>
        )}
        {audit.isFetchNextPageError ? <Trouble error={audit.error} /> : null}
        {audit.hasNextPage ? (
          <Button
            className="mt-4"
            loading={audit.isFetchingNextPage}
            onClick={() => void audit.fetchNextPage()}
          >
            {words.more}
          </Button>
        ) : null}
      </Card>
    </>
  );
}

function Entry({ entry }: { entry: AuditEntry }) {
  const { language } = useSpoken();
  const words = useWords(WORDS);
  const who = entry.who === "" ? (entry.from === "" ? words.system : words.nobody) : entry.who;
  return (
    <li className="border-kumo-line border-t pt-3 first:border-t-0 first:pt-0">
      <p className="wrap-anywhere">
        <span className="font-medium">{who}</span> {words.kinds[entry.kind]}
        {entry.times > 1 ? ` (${words.times(entry.times)})` : ""}
      </p>
      <p className="text-kumo-subtle text-sm wrap-anywhere">
        <time dateTime={new Date(entry.at).toISOString()}>{formatMoment(entry.at, language)}</time>
        {entry.from === "" ? "" : ` · ${words.from}: ${entry.from}`}
        {entry.detail === "" ? "" : ` · ${entry.detail}`}
      </p>
    </li>
  );
}
