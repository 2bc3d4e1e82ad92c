/** Who is signed in, and the panic button, as the admin API tells of them. */
import * as z from "zod";

/** Milliseconds since the epoch. */
const moment = z.number();

const session = z.object({
  id: z.string(),
  issuedAt: moment,
  from: z.string(),
  browser: z.string(),
});
export const securityReply = z.object({
  sessions: z.array(session),
  /** Set while the panic button holds everything shut. */
  panic: z.object({ at: moment, by: z.string() }).optional(),
});
export type AdminSecurity = z.infer<typeof securityReply>;
