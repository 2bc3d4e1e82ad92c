import { Button } from "@cloudflare/kumo/components/button";
import { Loader } from "@cloudflare/kumo/components/loader";
import { TrashIcon } from "@phosphor-icons/react/dist/csr/Trash";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { APPS_API, type App } from "../../../protocol/admin-apps.ts";
import { call } from "../../api/client.ts";
import { useAct } from "../../parts/act.ts";
import { Card } from "../../parts/card.tsx";
import { Confirm } from "../../parts/confirm.tsx";
import { Facts } from "../../parts/facts.tsx";
import { useNow } from "../../parts/now.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { formatAgo, formatMoment } from "../../text/format.ts";
import { useSpoken, useText, useWords } from "../../text/text.tsx";
import { APP_WORDS } from "./app-words.ts";
import { NewCodePanel } from "./new-code.tsx";

/** Needs no gateway: apps are kept where the agent is not. */
export function Apps() {
  const text = useText();
  const words = useWords(APP_WORDS);
  const apps = useQuery({
    // Begins with the revision that changes along with it.
    queryKey: ["devices", "apps"],
    queryFn: () => call(APPS_API.apps),
    staleTime: Infinity,
  });
  return (
    <Card title={words.title}>
      <p className="text-kumo-subtle mb-3">{words.about}</p>
      {apps.data === undefined ? (
        apps.error === null ? (
          <Loader aria-label={text.loading} />
        ) : (
          <Trouble error={apps.error} retry={() => void apps.refetch()} />
        )
      ) : (
        <>
          <NewCodePanel codes={apps.data.codes} />
          {apps.data.apps.length === 0 ? (
            <p className="mt-4">{words.none}</p>
          ) : (
            <ul className="mt-4 flex flex-col gap-4">
              {apps.data.apps.map((app) => (
                <AppRow key={app.id} app={app} />
              ))}
            </ul>
          )}
        </>
      )}
    </Card>
  );
}

function AppRow({ app }: { app: App }) {
  const { language } = useSpoken();
  const words = useWords(APP_WORDS);
  const now = useNow();
  const [asking, setAsking] = useState(false);
  const remove = useAct(APPS_API.removeApp, words.removed);
  const name = app.name === "" ? words.unnamed : app.name;
  const { lastSeenAt: seen } = app;
  return (
    <li className="border-kumo-line flex flex-col gap-3 border-t pt-4">
      <p className="min-w-0 font-medium wrap-anywhere">{name}</p>
      <Facts
        facts={[
          { name: words.letIn, value: words.by(formatMoment(app.letInAt, language), app.by) },
          { name: words.from, value: app.from },
          {
            name: words.seen,
            value: seen === undefined ? words.never : formatAgo(seen, now, language),
          },
        ]}
      />
      <div>
        <Button
          size="sm"
          variant="secondary-destructive"
          icon={TrashIcon}
          loading={remove.busy}
          aria-label={words.of(words.remove, name)}
          onClick={() => setAsking(true)}
        >
          {words.remove}
        </Button>
      </div>
      <Confirm
        open={asking}
        onOpenChange={() => setAsking(false)}
        title={words.removeTitle}
        text={words.removeText(name)}
        action={words.remove}
        onConfirm={() => remove({ id: app.id })}
      />
    </li>
  );
}
