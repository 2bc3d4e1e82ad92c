import { ExportIcon } from "@phosphor-icons/react/dist/csr/Export";
import { lazy } from "react";
import type { Room } from "../room.ts";

export const egress: Room = {
  name: "egress",
  title: { en: "Egress", zh: "出站访问" },
  Icon: ExportIcon,
  Content: lazy(async () => ({ default: (await import("./egress.tsx")).EgressRoom })),
};
