import { Button } from "@cloudflare/kumo/components/button";
import { useState } from "react";
import { CHANNELS_API, type LetterView } from "../../../protocol/admin-channels.ts";
import type { ChannelId } from "../../../protocol/channels.ts";
import { useAct } from "../../parts/act.ts";
import { Confirm } from "../../parts/confirm.tsx";
import { useNow } from "../../parts/now.ts";
import { formatAgo } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

interface InboxProps {
  letters: LetterView[];
  /** The platforms that are set up. */
  present: readonly ChannelId[];
}

/** What is on its way to the agent, given-up messages first. */
export function Inbox({ letters, present }: InboxProps) {
  const words = useWords(WORDS);
  if (letters.length === 0) return <p>{words.noLetters}</p>;
  return (
    <ul className="flex flex-col gap-4">
      {letters.map((letter) => (
        <LetterRow key={letter.n} letter={letter} stranded={!present.includes(letter.channel)} />
      ))}
    </ul>
  );
}

/** @param stranded its platform is not set up any more */
function LetterRow({ letter, stranded }: { letter: LetterView; stranded: boolean }) {
  const { language } = useSpoken();
  const now = useNow();
  const words = useWords(WORDS);
  const retry = useAct(CHANNELS_API.retryLetter, words.retried);
  const drop = useAct(CHANNELS_API.dropLetter, words.dropped);
  const [asking, setAsking] = useState(false);
  const { n, channel, senderName, senderId, preview, at, state, tries, lastError } = letter;
  const id = String(n);
  return (
    <li className="flex flex-col gap-2">
      <p className="text-kumo-subtle wrap-anywhere">
        {words.names[channel]} · {senderName ?? senderId ?? words.somebody} ·{" "}
        {formatAgo(at, now, language)} · {words.letterStates[state]} · {words.tries(tries)}
      </p>
      <p className="wrap-anywhere">{preview}</p>
      {stranded && state === "waiting" ? <p>{words.stranded}</p> : null}
      {lastError === undefined ? null : <p className="wrap-anywhere">{lastError}</p>}
      {state === "given" ? null : (
        <div className="flex flex-wrap gap-2">
          <Button
            size="sm"
            loading={retry.busy}
            aria-label={words.of(words.retry, id)}
            onClick={() => retry({ id })}
          >
            {words.retry}
          </Button>
          <Button
            size="sm"
            loading={drop.busy}
            aria-label={words.of(words.drop, id)}
            onClick={() => setAsking(true)}
          >
            {words.drop}
          </Button>
        </div>
      )}
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={words.dropTitle}
        text={words.dropText}
        action={words.drop}
        onConfirm={() => drop({ id })}
      />
    </li>
  );
}
