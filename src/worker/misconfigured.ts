/** What a Worker with a broken configuration answers: what is wrong, to everybody, and nothing else. */
import type { ConfigProblem } from "./config/reading.ts";
import { rawPath, readPath } from "./path.ts";
import { errorReply, jsonReply } from "./replies.ts";

export async function misconfigured(
  request: Request,
  version: string,
  problems: ConfigProblem[],
): Promise<Response> {
  const names = [...new Set(problems.map(({ name }) => name))];
  if (readPath(rawPath(request.url)).ok && new URL(request.url).pathname === "/healthz") {
    return jsonReply(503, { ok: false, version, reason: "configuration", names });
  }
  const listed = problems.map(({ name, problem, mend }) => `${name} ${problem}. ${mend}`);
  return errorReply(request, {
    status: 503,
    code: "configuration",
    message: `The configuration has to be mended first. ${listed.join(" ")}`,
    details: { problems },
  });
}
