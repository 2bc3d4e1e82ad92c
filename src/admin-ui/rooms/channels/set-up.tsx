import { CHANNEL_IDS, type ChannelId } from "../../../protocol/channels.ts";
import { Card } from "../../parts/card.tsx";
import { useWords } from "../../text/text.tsx";
import { SlackManifests } from "./slack-manifests.tsx";
import { STEPS } from "./steps.ts";
import { WORDS } from "./words.ts";

/** How each platform that is not there yet is set up. */
export function SetUp({ present }: { present: readonly ChannelId[] }) {
  const words = useWords(WORDS);
  const steps = useWords(STEPS);
  return CHANNEL_IDS.flatMap((id) => {
    const own = steps[id];
    if (own === undefined || present.includes(id)) return [];
    return [
      <Card key={id} title={words.setUp(words.names[id])}>
        <ol className="flex list-decimal flex-col gap-2 pl-5">
          {own.map((step) => (
            <li key={step} className="wrap-anywhere">
              {step}
            </li>
          ))}
        </ol>
        {id === "slack" ? <SlackManifests /> : null}
      </Card>,
    ];
  });
}
