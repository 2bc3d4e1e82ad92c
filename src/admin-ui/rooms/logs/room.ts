import { ScrollIcon } from "@phosphor-icons/react/dist/csr/Scroll";
import { lazy } from "react";
import type { Room } from "../room.ts";

export const logs: Room = {
  name: "logs",
  title: { en: "Logs", zh: "日志" },
  Icon: ScrollIcon,
  Content: lazy(async () => ({ default: (await import("./logs.tsx")).LogsRoom })),
};
