/** Real Docker as the engine: where it answers, and the images it needs. */
import { spawn } from "node:child_process";

/** What this release of workerd expects beside each container; it carries the outbound traffic. */
export const INTERCEPTOR_IMAGE =
  "cloudflare/proxy-everything:3cb1195@sha256:0ef6716c52430096900b150d84a3302057d6cd2319dae7987128c85d0733e3c8";

/** Where Docker is expected to answer: a unix socket, because workerd speaks to nothing else. */
export function dockerSocket(env: Record<string, string | undefined>): string {
  const host = env["DOCKER_HOST"] ?? "";
  return host.startsWith("unix://") ? host.slice("unix://".length) : "/var/run/docker.sock";
}

export type Prepared = { ok: true } | { ok: false; reason: string };

/** Builds the sandbox image and fetches the interceptor's; what is there already costs seconds. */
export async function prepareDocker(root: string, image: string): Promise<Prepared> {
  const built = await docker(root, ["build", "-t", image, "-f", "container/Dockerfile", "."]);
  if (!built.ok) return built;
  const present = await docker(root, ["image", "inspect", INTERCEPTOR_IMAGE]);
  return present.ok ? present : await docker(root, ["pull", INTERCEPTOR_IMAGE]);
}

function docker(root: string, args: readonly string[]): Promise<Prepared> {
  return new Promise((resolve) => {
    const child = spawn("docker", args, { cwd: root, stdio: ["ignore", "ignore", "pipe"] });
    let tail = "";
    child.stderr.on("data", (chunk: Buffer) => (tail = `${tail}${chunk.toString()}`.slice(-2000)));
    child.on("error", (error) => resolve({ ok: false, reason: `docker: ${error.message}` }));
    child.on("close", (code) =>
      resolve(
        code === 0 ? { ok: true } : { ok: false, reason: `docker ${args[0]}: ${tail.trim()}` },
      ),
    );
  });
}
