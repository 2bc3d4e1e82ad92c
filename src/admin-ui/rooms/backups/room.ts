import { ArchiveIcon } from "@phosphor-icons/react/dist/csr/Archive";
import { lazy } from "react";
import type { Room } from "../room.ts";

export const backups: Room = {
  name: "backups",
  title: { en: "Backups", zh: "备份" },
  Icon: ArchiveIcon,
  Content: lazy(async () => ({ default: (await import("./backups.tsx")).BackupsRoom })),
};
