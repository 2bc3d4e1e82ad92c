import { CoinsIcon } from "@phosphor-icons/react/dist/csr/Coins";
import { lazy } from "react";
import type { Room } from "../room.ts";

export const spend: Room = {
  name: "spend",
  title: { en: "Spend", zh: "支出" },
  Icon: CoinsIcon,
  Content: lazy(async () => ({ default: (await import("./spend.tsx")).SpendRoom })),
};
