import * as z from "zod";

/** OpenClaw protocol 4, as far as the supervisor's own connection speaks it. */
const responseFrame = z.object({
  type: z.literal("res"),
  id: z.string(),
  ok: z.boolean(),
  payload: z.unknown().optional(),
  error: z
    .object({ code: z.string(), message: z.string(), details: z.unknown().optional() })
    .optional(),
});

export type ServerFrame = { type: "event"; event: string } | z.infer<typeof responseFrame>;

export const helloOk = z.object({
  type: z.literal("hello-ok"),
  server: z.object({ version: z.string() }),
});

/** Work that the gateway would lose if it were stopped now. */
export const activeWork = z.object({ counts: z.object({ totalActive: z.number() }) });

/** When the next scheduled job is due, in milliseconds since the epoch. */
export const schedule = z.object({ nextWakeAtMs: z.number().nullish() });

/** Events are many and large, and only their names matter here: their payload is not parsed. */
export function parseServerFrame(text: string): ServerFrame | undefined {
  const event = /^\{"type":"event","event":"([a-z0-9_.:-]+)"/i.exec(text)?.[1];
  if (event !== undefined) return { type: "event", event };
  try {
    const parsed = responseFrame.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/**
 * From loopback, with the shared token and without a device, this client gets its scopes with no
 * pairing record; it is the one path on which that holds, and the front port does not offer it.
 */
export function connectParams(token: string): Record<string, unknown> {
  return {
    minProtocol: 4,
    maxProtocol: 4,
    client: { id: "gateway-client", version: "1.0.0", platform: "linux", mode: "backend" },
    role: "operator",
    scopes: ["operator.admin", "operator.pairing", "operator.read"],
    caps: [],
    auth: { token },
  };
}
