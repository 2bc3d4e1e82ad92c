import { Banner } from "@cloudflare/kumo/components/banner";
import { Loader } from "@cloudflare/kumo/components/loader";
import { SirenIcon } from "@phosphor-icons/react/dist/csr/Siren";
import { useRefusedHosts, useSecurity, useSettings } from "../../live/queries.ts";
import { Card } from "../../parts/card.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { useText, useWords } from "../../text/text.tsx";
import { HowTo } from "./allow.tsx";
import { patternsIn, type Pattern } from "./patterns.ts";
import { RefusedHosts } from "./refused.tsx";
import { WORDS } from "./words.ts";

export function EgressRoom() {
  const text = useText();
  const words = useWords(WORDS);
  const settings = useSettings();
  const refused = useRefusedHosts();
  const security = useSecurity();
  const failed = [settings, refused].find(
    ({ error, data }) => error !== null && data === undefined,
  );
  if (failed !== undefined) {
    return <Trouble error={failed.error} retry={() => void failed.refetch()} />;
  }
  if (settings.data === undefined || refused.data === undefined) {
    return <Loader aria-label={text.loading} />;
  }
  const allow = settings.data.settings.find(({ name }) => name === "EGRESS_ALLOW")?.value;
  return (
    <>
      <p className="text-kumo-subtle">{words.about}</p>
      {security.data?.panic === undefined ? null : (
        <div role="alert">
          <Banner variant="error" icon={<SirenIcon weight="fill" />} description={words.held} />
        </div>
      )}
      <Card title={words.allowed}>
        <Allowed patterns={patternsIn(allow)} />
      </Card>
      <Card title={words.refused}>
        <p className="text-kumo-subtle mb-4">{words.refusedHelp}</p>
        <div aria-live="polite">
          <RefusedHosts hosts={refused.data.hosts} allow={allow} />
        </div>
      </Card>
      <Card title={words.howTitle}>
        <HowTo host={words.example} allow={allow} />
      </Card>
    </>
  );
}

function Allowed({ patterns }: { patterns: readonly Pattern[] }) {
  const words = useWords(WORDS);
  if (patterns.length === 0) {
    return (
      <p>
        {words.allowedNone} <span className="text-kumo-subtle">– {words.allowedNoneHelp}</span>
      </p>
    );
  }
  return (
    <ul className="flex flex-col gap-2">
      {patterns.map(({ text, wildcard, port }) => (
        <li key={text} className="flex flex-wrap items-baseline gap-x-3">
          <code className="wrap-anywhere">{text}</code>
          <span className="text-kumo-subtle text-sm">
            {wildcard ? words.patterns.wildcard : words.patterns.exact}
            {port === undefined ? "" : ` · ${words.patterns.port(port)}`}
          </span>
        </li>
      ))}
    </ul>
  );
}
