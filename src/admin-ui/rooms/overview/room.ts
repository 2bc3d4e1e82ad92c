import { GaugeIcon } from "@phosphor-icons/react/dist/csr/Gauge";
import type { Room } from "../room.ts";
import { OverviewRoom } from "./overview.tsx";

export const overview: Room = {
  name: "",
  title: { en: "Overview", zh: "概览" },
  Icon: GaugeIcon,
  Content: OverviewRoom,
};
