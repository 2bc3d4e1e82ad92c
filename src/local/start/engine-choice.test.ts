import { expect, test } from "vitest";
import { chooseEngine } from "./engine-choice.ts";

const yes = { ok: true } as const;
const no = { ok: false, reason: "blocked here", mend: "Type `unblock`" } as const;

test.each([
  ["auto", yes, yes, "bubblewrap"],
  ["auto", no, yes, "docker"],
  ["bubblewrap", yes, no, "bubblewrap"],
  ["docker", yes, yes, "docker"],
  ["plain", yes, yes, "plain"],
] as const)("%s with %o and %o takes %s", (wanted, bubblewrap, docker, kind) => {
  expect(chooseEngine(wanted, { bubblewrap, docker })).toMatchObject({ ok: true, kind });
});

test.each(["auto", "bubblewrap", "docker"] as const)(
  "%s never falls back to an engine that isolates nothing",
  (wanted) => {
    const chosen = chooseEngine(wanted, { bubblewrap: no, docker: no });
    expect(chosen).toMatchObject({ ok: false });
    expect(chosen).toHaveProperty(
      "reason",
      expect.stringContaining("blocked here. Type `unblock`."),
    );
  },
);

test("auto says that plain isolates nothing when it has nothing better", () => {
  const chosen = chooseEngine("auto", { bubblewrap: no, docker: no });
  expect(chosen).toHaveProperty("reason", expect.stringContaining("isolates nothing"));
});
