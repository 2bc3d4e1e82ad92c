import { GlobeIcon } from "@phosphor-icons/react/dist/csr/Globe";
import { lazy } from "react";
import type { Room } from "../room.ts";

export const browser: Room = {
  name: "browser",
  title: { en: "Browser", zh: "浏览器" },
  Icon: GlobeIcon,
  Content: lazy(async () => ({ default: (await import("./browser.tsx")).BrowserRoom })),
};
