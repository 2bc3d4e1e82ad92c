import { Badge } from "@cloudflare/kumo/components/badge";
import { Button } from "@cloudflare/kumo/components/button";
import { useMutation } from "@tanstack/react-query";
import { SPEND_API, type ModelsOverview, type ProviderCheck } from "../../protocol/spend.ts";
import { call } from "../api/client.ts";
import type { Texts } from "../text/en.ts";
import { describeAction, useText } from "../text/text.tsx";

type Provider = ModelsOverview["providers"][number];

/** Asks each provider itself whether it takes the key that is set. */
export function KeyChecks({ providers }: { providers: readonly Provider[] }) {
  if (providers.length === 0) return null;
  return (
    <ul className="flex flex-col gap-2">
      {providers.map((provider) => (
        <KeyCheck key={provider.id} provider={provider} />
      ))}
    </ul>
  );
}

function KeyCheck({ provider: { id, title } }: { provider: Provider }) {
  const text = useText();
  const { check: words } = text;
  const check = useMutation({
    mutationFn: () => call(SPEND_API.check, { body: { provider: id } }),
  });
  return (
    <li className="flex flex-wrap items-center gap-2">
      <span>{title}</span>
      <Button
        size="sm"
        loading={check.isPending}
        aria-label={`${words.check}: ${title}`}
        onClick={() => check.mutate()}
      >
        {words.check}
      </Button>
      <span role="status" className="flex min-w-0 flex-wrap items-center gap-2">
        {check.data === undefined ? null : <Said check={check.data} />}
        {check.error === null ? null : <span>{describeAction(check.error, text)}</span>}
      </span>
    </li>
  );
}

function Said({ check }: { check: ProviderCheck }) {
  const { check: words } = useText();
  return (
    <>
      <Badge variant={check.ok ? "success" : "error"}>{check.ok ? words.good : words.bad}</Badge>
      {check.ok ? null : <span className="text-kumo-subtle text-sm">{why(check, words)}</span>}
    </>
  );
}

function why(check: Extract<ProviderCheck, { ok: false }>, words: Texts["check"]): string {
  return check.reason === "unexpected"
    ? words.unexpected(check.status ?? 0)
    : words.reasons[check.reason];
}
