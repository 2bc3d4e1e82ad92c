import path from "node:path";
import { parseArgs } from "node:util";
import { buildAll } from "../build/build.ts";
import { PROJECT_ROOT, buildPaths } from "../build/paths.ts";
import { EXIT } from "./exit.ts";
import { wrangler } from "./wrangler.ts";

const HELP = `Usage: npm run deploy -- [options]

Builds, then deploys the Worker, its Durable Object, the Control UI and the sandbox image with
wrangler. Needs a Cloudflare login (npx wrangler login, or CLOUDFLARE_API_TOKEN), the Workers Paid
plan, and Docker to build the image.

  --dry-run        make and check the bundle, send nothing; needs neither login nor Docker
  --outdir <dir>   keep the bundle there
  --help           this text
`;

export async function runDeploy(args: readonly string[]): Promise<number> {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        "dry-run": { type: "boolean", default: false },
        outdir: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    }));
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), EXIT.usage);
  }
  if (values.help) {
    process.stdout.write(HELP);
    return EXIT.ok;
  }

  say("building");
  const built = await buildAll(buildPaths(PROJECT_ROOT));
  if (!built.ok) return fail(built.reason, EXIT.failed);

  const outdir =
    values.outdir === undefined
      ? []
      : ["--outdir", values.outdir, "--metafile", path.join(values.outdir, "meta.json")];
  if (values["dry-run"]) {
    say("making the bundle, sending nothing");
    // The image is left out: building it needs Docker and the network, checking the bundle neither.
    const dryRun = ["deploy", "--dry-run", "--containers-rollout", "none", ...outdir];
    const { code } = await wrangler(PROJECT_ROOT, dryRun, { show: true });
    return code === 0 ? EXIT.ok : EXIT.failed;
  }

  say("asking Cloudflare who you are");
  const who = await wrangler(PROJECT_ROOT, ["whoami"], { show: false });
  const login = loginProblem(who);
  if (login !== undefined) return fail(login, EXIT.failed);

  say("deploying; the first time the image takes some minutes to build and upload");
  const { code } = await wrangler(PROJECT_ROOT, ["deploy", ...outdir], { show: true });
  return code === 0 ? EXIT.ok : fail("wrangler could not deploy; it says why above", EXIT.failed);
}

/** What stands between `wrangler whoami` and a deploy; undefined when nothing does. */
export function loginProblem({ code, output }: { code: number; output: string }) {
  if (/not authenticated|not logged in/i.test(output)) {
    return "nobody is logged in to Cloudflare: run npx wrangler login, or set CLOUDFLARE_API_TOKEN";
  }
  if (/invalid.*token|authentication (error|failed)|\b(9109|10000)\b/i.test(output)) {
    return "Cloudflare refuses the login: run npx wrangler login again, or renew CLOUDFLARE_API_TOKEN";
  }
  if (/fetch failed|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|network/i.test(output) && code !== 0) {
    return "Cloudflare cannot be reached from this machine";
  }
  return code === 0 ? undefined : `wrangler whoami failed:\n${output.trim()}`;
}

function say(text: string): void {
  process.stdout.write(`… ${text}\n`);
}

function fail(text: string, code: number): number {
  process.stderr.write(`moltworker deploy: ${text}\n`);
  return code;
}
