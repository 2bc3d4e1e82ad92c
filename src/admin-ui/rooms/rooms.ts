import { audit } from "./audit/room.ts";
import { backups } from "./backups/room.ts";
import { browser } from "./browser/room.ts";
import { channels } from "./channels/room.ts";
import { devices } from "./devices/room.ts";
import { egress } from "./egress/room.ts";
import { logs } from "./logs/room.ts";
import { overview } from "./overview/room.ts";
import type { Room } from "./room.ts";
import { settings } from "./settings/room.ts";
import { spend } from "./spend/room.ts";

/** The rooms of the page, in the order of the navigation. A new room is one row. */
export const ROOMS: readonly Room[] = [
  overview,
  devices,
  channels,
  browser,
  spend,
  backups,
  egress,
  logs,
  settings,
  audit,
];
