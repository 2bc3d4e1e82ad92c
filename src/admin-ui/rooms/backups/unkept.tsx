import { Banner } from "@cloudflare/kumo/components/banner";
import { WarningCircleIcon } from "@phosphor-icons/react/dist/csr/WarningCircle";
import type { AdminStatus } from "../../../protocol/admin.ts";
import { useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

/** What the running sandbox says it cannot keep, and why. */
export function Unkept({ status }: { status: AdminStatus }) {
  const { summary } = useWords(WORDS);
  const unkept = status.supervisor?.backups?.unkept ?? [];
  if (unkept.length === 0) return null;
  return (
    <section aria-label={summary.unkept}>
      <Banner
        variant="secondary"
        icon={<WarningCircleIcon weight="fill" />}
        title={summary.unkept}
        description={
          <span className="flex flex-col gap-0.5 wrap-anywhere">
            {unkept.map(({ path, why }) => (
              <span key={path}>
                <code className="text-xs">{path}</code> {why}
              </span>
            ))}
          </span>
        }
      />
    </section>
  );
}
