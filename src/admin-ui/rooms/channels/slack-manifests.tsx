import { Button } from "@cloudflare/kumo/components/button";
import { useState } from "react";
import { slackManifest } from "../../../protocol/slack-manifest.ts";
import { useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

/** What Slack makes the app from, to copy; the first with this page's address when it is a public one. */
export function SlackManifests() {
  const words = useWords(WORDS);
  const { protocol, origin } = window.location;
  const host = protocol === "https:" ? origin : "https://agent.example.org";
  const address = `${host}/webhooks/slack/main`;
  return (
    <div className="mt-4 flex flex-col gap-4">
      <Manifest name={words.manifests.http} manifest={slackManifest(address)} />
      <Manifest name={words.manifests.socket} manifest={slackManifest()} />
    </div>
  );
}

function Manifest({ name, manifest }: { name: string; manifest: object }) {
  const words = useWords(WORDS);
  const [copied, setCopied] = useState(false);
  const text = JSON.stringify(manifest, null, 2);
  return (
    <details>
      <summary className="cursor-pointer">{name}</summary>
      <Button
        className="mt-2"
        aria-label={words.of(words.manifests.copy, name)}
        onClick={() => {
          void navigator.clipboard.writeText(text).then(() => setCopied(true));
        }}
      >
        <span aria-live="polite">{copied ? words.manifests.copied : words.manifests.copy}</span>
      </Button>
      <pre
        // A box that scrolls has to be reachable by keyboard.
        tabIndex={0}
        aria-label={name}
        className="mt-2 max-h-64 overflow-auto rounded border border-kumo-line p-2 text-sm"
      >
        {text}
      </pre>
    </details>
  );
}
