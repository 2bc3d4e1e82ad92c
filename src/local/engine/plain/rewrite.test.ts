import { expect, it } from "vitest";
import type { Bind } from "../image.ts";
import { rewriteWord } from "./rewrite.ts";

const BINDS: Bind[] = [
  { source: "/host/node24/node", target: "/opt/node/bin/node", mode: "ro" },
  { source: "/host/skills", target: "/opt/moltworker/skills", mode: "ro" },
  { source: "/host/deep", target: "/opt/moltworker/skills/deep", mode: "ro" },
  { source: "/host/home", target: "/home/agent", mode: "rw" },
];

it.for([
  ["/opt/node/bin/node", "/host/node24/node"],
  ["/opt/moltworker/skills/a.md", "/host/skills/a.md"],
  ["/opt/moltworker/skills/deep/x", "/host/deep/x"],
  ["/home/agent", "/host/home"],
  ["/home/agentx", "/home/agentx"],
  ["/opt/node/bin:/usr/bin:/bin", "/host/node24:/usr/bin:/bin"],
  ["--import=/home/agent/x.mjs", "--import=/host/home/x.mjs"],
  ["home/agent", "home/agent"],
  ["http://home/agent", "http://home/agent"],
])("turns %s into %s", ([word, host]) => {
  expect(rewriteWord(BINDS, word ?? "")).toBe(host);
});
