/** What starts the sandboxes of browsers: the engine's bubblewrap, set up for them alone. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describeHost, searchPath } from "../../engine/bubblewrap/host.ts";
import { createBubblewrapLauncher } from "../../engine/bubblewrap/launch.ts";
import { createLimiter } from "../../engine/limits.ts";
import { filterArchitecture, outerSeccompFilter } from "../../engine/seccomp.ts";
import type { Launch } from "../../engine/sandbox.ts";

/** @param directory for what every sandbox is shown */
export async function browserSandboxes(directory: string): Promise<Launch | undefined> {
  const host = describeHost(searchPath(process.env["PATH"] ?? ""));
  if (host === undefined) return undefined;
  await mkdir(directory, { recursive: true });
  // Chromium builds a sandbox of its own inside, so the agent's filter, which forbids that, is empty.
  const agentFile = path.join(directory, "agent.bpf");
  await writeFile(agentFile, "");
  await chmod(agentFile, 0o644);
  const architecture = filterArchitecture(process.arch);
  return createBubblewrapLauncher({
    host,
    limiter: await createLimiter(),
    ingressAddress: "127.0.0.1",
    filters: {
      outer: architecture === undefined ? undefined : outerSeccompFilter(architecture),
      agentFile,
    },
  });
}
