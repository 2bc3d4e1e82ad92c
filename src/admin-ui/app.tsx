import { Banner } from "@cloudflare/kumo/components/banner";
import { Button } from "@cloudflare/kumo/components/button";
import { CircleHalfIcon } from "@phosphor-icons/react/dist/csr/CircleHalf";
import { TranslateIcon } from "@phosphor-icons/react/dist/csr/Translate";
import { Loader } from "@cloudflare/kumo/components/loader";
import { Suspense, useEffect, useRef, type MouseEvent } from "react";
import { useConnection } from "./live/follow.tsx";
import { useTheme } from "./parts/theme.ts";
import { openRoom, roomAddress, useRoomName } from "./route.ts";
import { ROOMS } from "./rooms/rooms.ts";
import { useSpoken, useText } from "./text/text.tsx";

export function App() {
  const { text, language } = useSpoken();
  const name = useRoomName();
  const room = ROOMS.find((candidate) => candidate.name === name);
  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef(true);

  // After a change of room the reader's place is at its top, also for a screen reader.
  useEffect(() => {
    if (!first.current) heading.current?.focus();
    first.current = false;
  }, [name]);

  return (
    <div className="bg-kumo-canvas text-kumo-default min-h-screen">
      <div className="mx-auto flex max-w-5xl flex-col gap-4 p-4">
        <header className="flex flex-wrap items-center justify-between gap-2">
          <p className="text-lg font-semibold">{text.title}</p>
          <div className="flex items-center gap-2">
            <ConnectionSign />
            <ThemeButton />
            <LanguageButton />
          </div>
        </header>
        <Rooms current={name} />
        <ConnectionBanner />
        <main className="flex min-w-0 flex-col gap-4">
          <h1 ref={heading} tabIndex={-1} className="text-xl font-semibold outline-none">
            {room === undefined ? text.notFound : room.title[language]}
          </h1>
          {room === undefined ? null : (
            <Suspense key={name} fallback={<Loader aria-label={text.loading} />}>
              <room.Content />
            </Suspense>
          )}
        </main>
      </div>
    </div>
  );
}

function Rooms({ current }: { current: string }) {
  const { text, language } = useSpoken();
  function open(event: MouseEvent<HTMLAnchorElement>, room: string): void {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    openRoom(room);
  }
  return (
    <nav aria-label={text.rooms} className="border-kumo-line border-b">
      <ul className="-mb-px flex flex-wrap gap-x-1">
        {ROOMS.map(({ name, title, Icon }) => (
          <li key={name}>
            <a
              href={roomAddress(name)}
              aria-current={name === current ? "page" : undefined}
              onClick={(event) => open(event, name)}
              className="text-kumo-subtle hover:text-kumo-default aria-[current=page]:border-kumo-brand aria-[current=page]:text-kumo-default focus-visible:outline-kumo-brand flex min-h-11 items-center gap-1.5 border-b-2 border-transparent px-2 whitespace-nowrap text-sm font-medium no-underline focus-visible:outline-2"
            >
              <Icon size={16} aria-hidden className="hidden sm:block" />
              {title[language]}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function ConnectionSign() {
  const text = useText();
  const connection = useConnection();
  if (connection !== "live" && connection !== "connecting") return null;
  return (
    <p role="status" className="text-kumo-subtle flex items-center gap-1.5 text-sm">
      <span
        aria-hidden
        className={`size-2 rounded-full ${connection === "live" ? "bg-kumo-success" : "bg-kumo-fill"}`}
      />
      {text.connection[connection]}
    </p>
  );
}

function ConnectionBanner() {
  const text = useText();
  const connection = useConnection();
  if (connection === "live" || connection === "connecting") return null;
  return (
    <div role="alert">
      <Banner
        variant={connection === "lost" ? "secondary" : "error"}
        description={text.connection[connection]}
        action={
          connection === "signed-out" ? (
            <Button size="sm" onClick={() => window.location.reload()}>
              {text.connection.login}
            </Button>
          ) : undefined
        }
      />
    </div>
  );
}

function ThemeButton() {
  const text = useText();
  const { theme, next } = useTheme();
  const label = `${text.theme.label}: ${text.theme[theme]}`;
  return (
    <Button
      variant="ghost"
      shape="square"
      icon={CircleHalfIcon}
      aria-label={label}
      title={label}
      onClick={next}
    />
  );
}

function LanguageButton() {
  const { language, text, speak } = useSpoken();
  return (
    <Button
      variant="ghost"
      icon={TranslateIcon}
      aria-label={`${text.language.other}: ${text.language.switchTo}`}
      onClick={() => speak(language === "en" ? "zh" : "en")}
    >
      <span lang={language === "en" ? "zh-CN" : "en"}>{text.language.other}</span>
    </Button>
  );
}
