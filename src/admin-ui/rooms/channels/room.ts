import { ChatIcon } from "@phosphor-icons/react/dist/csr/Chat";
import { lazy } from "react";
import type { Room } from "../room.ts";

export const channels: Room = {
  name: "channels",
  title: { en: "Channels", zh: "渠道" },
  Icon: ChatIcon,
  Content: lazy(async () => ({ default: (await import("./channels.tsx")).ChannelsRoom })),
};
