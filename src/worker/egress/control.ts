/**
 * `control.moltworker.internal`: the supervisor's reports. Any program of the agent can reach the
 * name, so the token decides, in the Durable Object. Fails closed.
 */
import { report } from "../../protocol/control.ts";
import type { AgentCalls } from "../agent-calls.ts";
import { boundedText } from "../bounded-text.ts";
import { within } from "../deadline.ts";
import { jsonReply } from "../replies.ts";

const MAX_REPORT_BYTES = 64 * 1024;
const REPORT_DEADLINE_MS = 10_000;

export async function answerReport(request: Request, agent: AgentCalls): Promise<Response> {
  const url = new URL(request.url);
  if (url.pathname !== "/v1/report") return refuse(404, "not_found");
  if (request.method !== "POST") return refuse(405, "method_not_allowed");
  const [, token] =
    /^Bearer ([A-Za-z0-9._~-]{32,256})$/.exec(request.headers.get("authorization") ?? "") ?? [];
  if (token === undefined) return refuse(401, "control_token_required");
  const body = await boundedText(request, MAX_REPORT_BYTES);
  if (!body.ok) return refuse(body.status, body.code);
  const parsed = report.safeParse(parseJson(body.text));
  if (!parsed.success) return refuse(400, "malformed_report");
  const taken = await within("the agent", REPORT_DEADLINE_MS, agent.report(parsed.data, token));
  return taken.ok ? jsonReply(200, { ok: true }) : refuse(403, "report_refused");
}

function refuse(status: number, code: string): Response {
  return jsonReply(status, { error: { code } });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
