import { Banner } from "@cloudflare/kumo/components/banner";
import { Button } from "@cloudflare/kumo/components/button";
import { SignOutIcon } from "@phosphor-icons/react/dist/csr/SignOut";
import { SirenIcon } from "@phosphor-icons/react/dist/csr/Siren";
import { useState } from "react";
import { ADMIN_API } from "../../../protocol/admin.ts";
import { useSecurity } from "../../live/queries.ts";
import { useAct } from "../../parts/act.ts";
import { Card } from "../../parts/card.tsx";
import { Confirm } from "../../parts/confirm.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { formatMoment } from "../../text/format.ts";
import { useSpoken } from "../../text/text.tsx";

export function Emergency() {
  const { text, language } = useSpoken();
  const { danger } = text;
  const security = useSecurity();
  const [asking, setAsking] = useState<"panic" | "sessions">();
  const panic = useAct(ADMIN_API.panic, ({ pending }) =>
    pending === true ? text.overview.outcome.pending : danger.panicked,
  );
  const over = useAct(ADMIN_API.panicOver, danger.reopened);
  const endSessions = useAct(ADMIN_API.endSessions, danger.ended);
  if (security.data === undefined) {
    return security.error === null ? null : (
      <Trouble error={security.error} retry={() => void security.refetch()} />
    );
  }
  const held = security.data.panic;
  const { sessions } = security.data;
  return (
    <Card title={danger.title}>
      <div className="flex flex-col gap-4">
        {held === undefined ? (
          <p className="text-kumo-subtle">{danger.about}</p>
        ) : (
          <div role="alert">
            <Banner
              variant="error"
              icon={<SirenIcon weight="fill" />}
              description={danger.on(held.by, formatMoment(held.at, language))}
            />
          </div>
        )}
        <div className="flex flex-wrap gap-2">
          {held === undefined ? (
            <Button
              variant="destructive"
              icon={SirenIcon}
              loading={panic.busy}
              onClick={() => setAsking("panic")}
            >
              {danger.panic}
            </Button>
          ) : (
            <Button variant="primary" loading={over.busy} onClick={() => over()}>
              {danger.over}
            </Button>
          )}
          <Button
            icon={SignOutIcon}
            loading={endSessions.busy}
            onClick={() => setAsking("sessions")}
          >
            {danger.endSessions}
          </Button>
        </div>
        <div>
          <h3 className="text-kumo-subtle mb-1 text-sm">{danger.sessions}</h3>
          {sessions.length === 0 ? (
            <p>{danger.noSessions}</p>
          ) : (
            <ul className="flex flex-col gap-1">
              {sessions.map(({ id, browser, from, issuedAt }) => (
                <li key={id} className="wrap-anywhere">
                  {browser === "" ? danger.unknown : browser}{" "}
                  <span className="text-kumo-subtle">
                    {from} · {danger.since(formatMoment(issuedAt, language))}
                  </span>
                </li>
              ))}
            </ul>
          )}
        </div>
      </div>
      <Confirm
        open={asking === "panic"}
        onOpenChange={() => setAsking(undefined)}
        title={danger.confirmTitle}
        text={danger.confirmText}
        action={danger.confirm}
        onConfirm={() => panic()}
      />
      <Confirm
        open={asking === "sessions"}
        onOpenChange={() => setAsking(undefined)}
        title={danger.endTitle}
        text={danger.endText}
        action={danger.endSessions}
        onConfirm={() => endSessions()}
      />
    </Card>
  );
}
