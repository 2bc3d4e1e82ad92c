import type { AdminStatus } from "../../../protocol/admin.ts";
import { STATE_FOLDER, type BackupStatus } from "../../../protocol/backup.ts";
import { Card } from "../../parts/card.tsx";
import { useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

type Unkept = BackupStatus["unkept"];

/** What the supervisor could not keep at its last look; nothing while it kept all. */
export function LeftOut({ supervisor }: AdminStatus) {
  const { leftOut: words } = useWords(WORDS);
  const unkept = supervisor?.backups?.unkept ?? [];
  if (unkept.length === 0) return null;
  const files = unkept.filter(({ path }) => isOfState(path));
  // Of these no backup has what was new in them, and no agent can put them right.
  const states = unkept.filter(({ path }) => !isOfState(path));
  return (
    <Card title={words.title}>
      <div className="flex flex-col gap-4">
        <Entries about={words.about} entries={files} />
        <Entries about={words.states} entries={states} />
      </div>
    </Card>
  );
}

function isOfState(path: string): boolean {
  return path.split("/")[0] === STATE_FOLDER;
}

function Entries({ about, entries }: { about: string; entries: Unkept }) {
  if (entries.length === 0) return null;
  return (
    <div>
      <p className="text-kumo-subtle">{about}</p>
      <ul className="mt-3 flex flex-col gap-2">
        {entries.map(({ path, why }) => (
          <li key={path} className="wrap-anywhere">
            <code>{path}</code> <span className="text-kumo-subtle">{why}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
