import { Loader } from "@cloudflare/kumo/components/loader";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { SPEND_API } from "../../../protocol/spend.ts";
import { call } from "../../api/client.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { useText, useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

/** What was said in one call, fetched when somebody opens it. */
export function CallTexts({ n }: { n: number }) {
  const words = useWords(WORDS);
  const [open, setOpen] = useState(false);
  return (
    <details className="mt-1" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="cursor-pointer text-sm">{words.texts.show}</summary>
      {open ? <Said n={n} /> : null}
    </details>
  );
}

function Said({ n }: { n: number }) {
  const text = useText();
  const { texts: words } = useWords(WORDS);
  const { data, error, refetch } = useQuery({
    queryKey: ["spend", "texts", n],
    queryFn: () => call(SPEND_API.texts, { id: String(n) }),
    staleTime: Infinity,
  });
  if (data === undefined) {
    return error === null ? (
      <Loader aria-label={text.loading} />
    ) : (
      <Trouble error={error} retry={() => void refetch()} />
    );
  }
  return (
    <dl className="flex flex-col gap-2 pt-2 text-sm">
      <Passage name={words.prompt} said={data.prompt} />
      <Passage name={words.answer} said={data.answer} />
    </dl>
  );
}

function Passage({ name, said }: { name: string; said: string }) {
  const { texts: words } = useWords(WORDS);
  return (
    <div>
      <dt className="text-kumo-subtle">{name}</dt>
      <dd className="wrap-anywhere whitespace-pre-wrap">{said === "" ? words.nothing : said}</dd>
    </div>
  );
}
