import { Loader } from "@cloudflare/kumo/components/loader";
import { useSpend } from "../../live/queries.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { useText } from "../../text/text.tsx";
import { Alerts } from "./alerts.tsx";
import { AnswerCache } from "./answer-cache.tsx";
import { Calls } from "./calls.tsx";
import { Caps } from "./caps.tsx";
import { Figures } from "./figures.tsx";
import { Prices } from "./prices.tsx";
import { Routing } from "./routing.tsx";
import { TextExcerpts } from "./text-excerpts.tsx";
import { ByChannel, ByModel, ByStatus } from "./shares.tsx";
import { Trend } from "./trend.tsx";

export function SpendRoom() {
  const text = useText();
  const spend = useSpend();
  if (spend.data === undefined) {
    return spend.error === null ? (
      <Loader aria-label={text.loading} />
    ) : (
      <Trouble error={spend.error} retry={() => void spend.refetch()} />
    );
  }
  const overview = spend.data;
  return (
    <>
      <Figures overview={overview} />
      <Caps overview={overview} />
      <Trend overview={overview} />
      <div className="grid grid-cols-1 gap-4 lg:grid-cols-2">
        <ByModel overview={overview} />
        <ByChannel overview={overview} />
      </div>
      <ByStatus overview={overview} />
      <Calls />
      <Routing />
      <Prices overview={overview} />
      <AnswerCache settings={overview.settings.cache} />
      <TextExcerpts settings={overview.settings.texts} />
      <Alerts alerts={overview.alerts} webhookHost={overview.settings.webhookHost} />
    </>
  );
}
