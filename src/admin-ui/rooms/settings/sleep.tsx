import { Loader } from "@cloudflare/kumo/components/loader";
import { Select } from "@cloudflare/kumo/components/select";
import { ADMIN_API, type AdminStatus } from "../../../protocol/admin.ts";
import { useStatus } from "../../live/queries.ts";
import { useAct } from "../../parts/act.ts";
import { Card } from "../../parts/card.tsx";
import { formatDuration } from "../../text/format.ts";
import { useSpoken } from "../../text/text.tsx";

type SleepAfter = AdminStatus["sleepAfter"];

const MINUTE = 60_000;
const CHOICES: readonly SleepAfter[] = [
  "never",
  ...[10, 30, 60, 180, 720].map((minutes) => minutes * MINUTE),
];
const AS_CONFIGURED = "configured";

/** How long the agent idles before its sandbox stops. */
export function SleepCard({ configured }: { configured: SleepAfter }) {
  const { text, language } = useSpoken();
  const { settings: words } = text;
  const status = useStatus();
  const set = useAct(ADMIN_API.setSleep, words.sleepSaved);
  const present = status.data?.sleepAfter;
  const name = (one: SleepAfter) =>
    one === "never" ? words.sleepNever : words.sleepFor(formatDuration(one, language));
  const choices = [...new Set([...CHOICES, ...(present === undefined ? [] : [present])])];
  const items = {
    [AS_CONFIGURED]: words.sleepConfigured(name(configured)),
    ...Object.fromEntries(
      choices.filter((one) => one !== configured).map((one) => [String(one), name(one)]),
    ),
  };
  return (
    <Card title={words.sleep}>
      {present === undefined ? (
        <Loader aria-label={text.loading} />
      ) : (
        <div className="flex flex-col gap-3">
          <p className="text-kumo-subtle">{words.sleepAbout}</p>
          <div className="max-w-sm">
            <Select
              label={words.sleepLabel}
              value={present === configured ? AS_CONFIGURED : String(present)}
              disabled={set.busy}
              onValueChange={(value) => set({ body: { sleepAfter: chosen(value) } })}
              items={items}
            />
          </div>
        </div>
      )}
    </Card>
  );
}

function chosen(value: unknown): SleepAfter | null {
  if (value === "never") return value;
  const ms = Number(value);
  return Number.isSafeInteger(ms) && ms > 0 ? ms : null;
}
