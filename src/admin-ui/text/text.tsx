import { createContext, use, useEffect, useState, type ReactNode } from "react";
import { ApiError } from "../api/client.ts";
import { en, type Texts } from "./en.ts";
import { zh } from "./zh.ts";

export type Language = "en" | "zh";

const TEXTS: Record<Language, Texts> = { en, zh };
const KEY = "moltworker-language";

interface Spoken {
  language: Language;
  text: Texts;
  speak(language: Language): void;
}

const SpokenContext = createContext<Spoken>({ language: "en", text: en, speak: () => undefined });

/** The reader's own choice, else the first of the browser's languages that there is. */
function firstLanguage(): Language {
  const chosen = localStorage.getItem(KEY);
  if (chosen === "en" || chosen === "zh") return chosen;
  return /^zh\b/i.test(navigator.languages[0] ?? navigator.language) ? "zh" : "en";
}

export function Speaking({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(firstLanguage);
  const text = TEXTS[language];
  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    document.title = `${text.title} · moltworker`;
  }, [language, text]);
  function speak(next: Language): void {
    localStorage.setItem(KEY, next);
    setLanguage(next);
  }
  return <SpokenContext value={{ language, text, speak }}>{children}</SpokenContext>;
}

export function useSpoken(): Spoken {
  return use(SpokenContext);
}

export function useText(): Texts {
  return use(SpokenContext).text;
}

/** The words of one room, in the language that is spoken. */
export function useWords<Words>(words: Record<Language, Words>): Words {
  return words[use(SpokenContext).language];
}

/** An error in words; what the Worker said is added, because it names what to do. */
export function describe(error: unknown, { errors }: Texts): string {
  if (!(error instanceof ApiError)) return errors.other;
  switch (error.code) {
    case "offline":
    case "agent_unreachable":
    case "not_found":
    case "not_understood":
    case "not_an_admin":
      return errors[error.code];
    case "agent_unavailable":
    case "fallback_format":
      return `${errors[error.code]} ${error.message}`;
    default:
      return `${errors.other} ${error.message}`;
  }
}

/** The same of something that was asked for by a button, and is not tried again by itself. */
export function describeAction(error: unknown, text: Texts): string {
  const offline = error instanceof ApiError && error.code === "offline";
  return offline ? text.errors.actionOffline : describe(error, text);
}
