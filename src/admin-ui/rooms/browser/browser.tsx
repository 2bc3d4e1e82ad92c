import { Banner } from "@cloudflare/kumo/components/banner";
import { Loader } from "@cloudflare/kumo/components/loader";
import { WarningCircleIcon } from "@phosphor-icons/react/dist/csr/WarningCircle";
import { useQuery } from "@tanstack/react-query";
import { ADMIN_API } from "../../../protocol/admin.ts";
import { call } from "../../api/client.ts";
import { Card } from "../../parts/card.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { useText, useWords } from "../../text/text.tsx";
import { Sessions } from "./sessions.tsx";
import { Today } from "./today.tsx";
import { Visited } from "./visited.tsx";
import { WORDS } from "./words.ts";

/** Nothing tells of a page that was opened: the room looks, while it is looked at. */
const REFRESH_MS = 5_000;

export function BrowserRoom() {
  const text = useText();
  const words = useWords(WORDS);
  const browser = useQuery({
    queryKey: ["browser"],
    queryFn: () => call(ADMIN_API.browser),
    refetchInterval: REFRESH_MS,
  });
  if (browser.data === undefined) {
    return browser.error === null ? (
      <Loader aria-label={text.loading} />
    ) : (
      <Trouble error={browser.error} retry={() => void browser.refetch()} />
    );
  }
  const { data } = browser;
  return (
    <>
      <p className="text-kumo-subtle">{words.about}</p>
      {data.available ? null : <Off />}
      {data.trouble === undefined ? null : (
        <div role="status">
          <Banner
            variant="secondary"
            icon={<WarningCircleIcon weight="fill" />}
            title={words.trouble}
            description={data.trouble}
          />
        </div>
      )}
      <Card title={words.sessions}>
        <div aria-live="polite">
          <Sessions sessions={data.sessions} />
        </div>
      </Card>
      <Today overview={data} />
      <Visited visited={data.visited} />
    </>
  );
}

function Off() {
  const words = useWords(WORDS);
  return (
    <Card title={words.offTitle}>
      <p className="mb-2">{words.offText}</p>
      <ul className="flex list-disc flex-col gap-2 pl-5">
        {words.offSteps.map((step) => (
          <li key={step} className="wrap-anywhere">
            {step}
          </li>
        ))}
      </ul>
    </Card>
  );
}
