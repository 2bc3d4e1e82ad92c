import { Button } from "@cloudflare/kumo/components/button";
import { DeviceMobileIcon } from "@phosphor-icons/react/dist/csr/DeviceMobile";
import { APPS_API, type AdminApps, type NewCode } from "../../../protocol/admin-apps.ts";
import { useAction } from "../../live/queries.ts";
import { useAct } from "../../parts/act.ts";
import { useNow } from "../../parts/now.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { formatDuration } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { APP_WORDS } from "./app-words.ts";
import { QrPicture } from "./qr-picture.tsx";

/** The button that makes a code, and the code for as long as it counts: it is told this once. */
export function NewCodePanel({ codes }: { codes: AdminApps["codes"] }) {
  const words = useWords(APP_WORDS);
  const now = useNow();
  const make = useAction(APPS_API.newCode);
  const drop = useAct(APPS_API.dropCodes, words.dropped);
  const made = make.data;
  const live = made !== undefined && codes.some(({ expiresAt }) => expiresAt === made.expiresAt);
  const unused = codes.filter(({ expiresAt }) => expiresAt > now).length;
  return (
    <>
      <div className="flex flex-wrap items-center gap-2">
        <Button
          variant="primary"
          icon={DeviceMobileIcon}
          loading={make.isPending}
          onClick={() => make.mutate({})}
        >
          {words.make}
        </Button>
        {unused === 0 ? null : (
          <Button loading={drop.busy} onClick={() => drop()}>
            {words.drop}
          </Button>
        )}
      </div>
      {make.error === null ? null : <Trouble error={make.error} action />}
      <div aria-live="polite">
        {live ? <Shown made={made} now={now} /> : null}
        {!live && unused > 0 ? (
          <p className="text-kumo-subtle mt-3">{words.unused(unused)}</p>
        ) : null}
      </div>
    </>
  );
}

function Shown({ made, now }: { made: NewCode; now: number }) {
  const { language } = useSpoken();
  const words = useWords(APP_WORDS);
  const left = made.expiresAt - now;
  if (left <= 0) return <p className="mt-3">{words.over}</p>;
  // To the half minute: a person who listens would hear every change.
  const shown = formatDuration(Math.ceil(left / 30_000) * 30_000, language);
  return (
    <div className="mt-4 flex flex-col gap-3">
      <p>
        <span className="text-kumo-subtle">{words.code} </span>
        <code className="text-lg tracking-wider">{made.code}</code>
      </p>
      {made.link === undefined ? null : <QrPicture text={made.link} label={words.picture} />}
      <p>{made.link === undefined ? words.noLink : words.scan}</p>
      <p className="text-kumo-subtle">{words.left(shown)}</p>
    </div>
  );
}
