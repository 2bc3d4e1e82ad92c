/**
 * One setting of the gateway's that has no place in `openclaw.json`: how often it repeats a turn's model call
 * after a failure that may pass. Its own default is eight or nine times within a minute and a half, while a
 * person waits (`docs/concepts/retry.md` in its package). What can be tried again before an answer begins was
 * tried by the Worker; one repeat is for an answer that broke off.
 *
 * It stands in a file of each agent, which is otherwise the person's: a number that stands there stays.
 */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";

const REPEATS = 1;
/** The gateway's first agent, which it makes itself. */
const FIRST_AGENT = "main";

const settings = z.looseObject({
  retry: z.looseObject({ provider: z.looseObject({}).optional() }).optional(),
});

/** The agents whose file was written. One that cannot be read is left to the gateway. */
export function limitRepeats(home: string): string[] {
  const agents = join(home, ".openclaw", "agents");
  const made = existsSync(agents)
    ? readdirSync(agents).filter((id) => existsSync(join(agents, id, "agent")))
    : [];
  return [...new Set([FIRST_AGENT, ...made])].filter((id) =>
    limitIn(join(agents, id, "agent", "settings.json")),
  );
}

function limitIn(path: string): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  // A pipe would keep its reader waiting.
  if (there !== undefined && !there.isFile()) return false;
  const text = there === undefined ? "{}" : readFileSync(path, "utf8");
  const known = settings.safeParse(parsed(text));
  if (!known.success) return false;
  const { retry } = known.data;
  if (retry?.provider !== undefined && "maxRetries" in retry.provider) return false;
  const provider = { ...retry?.provider, maxRetries: REPEATS };
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.new`;
  const whole = { ...known.data, retry: { ...retry, provider } };
  writeFileSync(fresh, `${JSON.stringify(whole, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, path);
  return true;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
