import { ClockCounterClockwiseIcon } from "@phosphor-icons/react/dist/csr/ClockCounterClockwise";
import { lazy } from "react";
import type { Room } from "../room.ts";

export const audit: Room = {
  name: "audit",
  title: { en: "Audit", zh: "审计" },
  Icon: ClockCounterClockwiseIcon,
  Content: lazy(async () => ({ default: (await import("./audit.tsx")).AuditRoom })),
};
