import type { ComponentType } from "react";
import type { Language } from "../text/text.tsx";

/**
 * A room of the page: a folder of its own with a `room.ts`, one row of `ROOMS`, its words in its
 * folder (`useWords`), its queries under keys that begin with the name of the revision which says
 * that they are old (`AdminStatus.revisions`).
 */
export interface Room {
  /** Its segment in the address; the first room has none. */
  name: string;
  title: Record<Language, string>;
  Icon: ComponentType<{ size?: number; "aria-hidden"?: boolean; className?: string }>;
  /** What is large or seldom looked at comes as `lazy(…)` and is fetched when it is opened. */
  Content: ComponentType;
}
