/** What a start failed with, by the text of its error. Pure; what is not known stays what it is. */
export const TROUBLES = [
  "configuration",
  "backups",
  "memory",
  "isolation",
  "slow",
  "supervisor",
  "gateway",
  "sandbox",
  "other",
] as const;
export type TroubleKind = (typeof TROUBLES)[number];

const SIGNS: readonly [sign: RegExp, kind: TroubleKind][] = [
  [
    /configuration has to be mended|config(uration)? (file )?(is )?invalid|invalid config/i,
    "configuration",
  ],
  [/backups cannot be read|restore|generation \d+|backup/i, "backups"],
  [/out of memory|heap limit|SIGKILL|exit(ed)?( with)?( code)? 137|\bOOM\b/i, "memory"],
  [/namespace|isolat|setuid|bwrap|bubblewrap/i, "isolation"],
  [/did not answer|within \d+ ms|not ready (in|within)|deadline|timed? ?out/i, "slow"],
  [/speaks protocol|supervisor/i, "supervisor"],
  [/gateway/i, "gateway"],
  [/sandbox|container/i, "sandbox"],
];

export function troubleKind(error: string): TroubleKind {
  return SIGNS.find(([sign]) => sign.test(error))?.[1] ?? "other";
}
