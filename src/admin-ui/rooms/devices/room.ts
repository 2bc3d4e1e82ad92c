import { DevicesIcon } from "@phosphor-icons/react/dist/csr/Devices";
import { lazy } from "react";
import type { Room } from "../room.ts";

export const devices: Room = {
  name: "devices",
  title: { en: "Devices", zh: "设备" },
  Icon: DevicesIcon,
  Content: lazy(async () => ({
    default: (await import("./devices-and-apps.tsx")).DevicesAndApps,
  })),
};
