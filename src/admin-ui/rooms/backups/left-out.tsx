import type { AdminStatus } from "../../../protocol/admin.ts";
import { Card } from "../../parts/card.tsx";
import { useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

/** What the supervisor could not keep at its last look; nothing while it kept all. */
export function LeftOut({ supervisor }: AdminStatus) {
  const { leftOut: words } = useWords(WORDS);
  const unkept = supervisor?.backups?.unkept ?? [];
  if (unkept.length === 0) return null;
  return (
    <Card title={words.title}>
      <p className="text-kumo-subtle">{words.about}</p>
      <ul className="mt-3 flex flex-col gap-2">
        {unkept.map(({ path, why }) => (
          <li key={path} className="wrap-anywhere">
            <code>{path}</code> <span className="text-kumo-subtle">{why}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
