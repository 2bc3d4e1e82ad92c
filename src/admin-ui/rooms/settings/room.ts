import { GearIcon } from "@phosphor-icons/react/dist/csr/Gear";
import { lazy } from "react";
import type { Room } from "../room.ts";

export const settings: Room = {
  name: "settings",
  title: { en: "Settings", zh: "设置" },
  Icon: GearIcon,
  Content: lazy(async () => ({ default: (await import("./settings.tsx")).SettingsRoom })),
};
