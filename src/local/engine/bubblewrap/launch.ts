/** Starts a sandbox in bubblewrap and gives the engine its handles on it. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { access, chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import * as z from "zod";
import { within } from "../deadline.ts";
import { AGENT_FILTER_PATH, type Bind, homeOf } from "../image.ts";
import type { Limiter } from "../limits.ts";
import { eachLine } from "../log-lines.ts";
import type { Launch, Sandbox, SandboxSpec } from "../sandbox.ts";
import {
  type SystemLink,
  sandboxArguments,
  sandboxMounts,
  staging,
  stagingPlace,
} from "./arguments.ts";
import { writeEtc } from "./etc.ts";
import { execIn } from "./exec.ts";
import { type Host, TOOL_ENVIRONMENT } from "./host.ts";
import { pipe, words } from "./pipes.ts";
import { entryProcess, signalQuietly, untilGone, untilMapped } from "./processes.ts";
import { openNetworkNamespace } from "./network-namespace.ts";

const SETUP_DEADLINE = 20_000;
const DEFAULT_TEMPORARY_BYTES = 1024 ** 3;

/** Descriptors of the programs that make a sandbox, after standard input, output and error. */
const FD = { arguments: 3, info: 4, block: 5, seccomp: 6 } as const;

const info = z.object({ "child-pid": z.number().int().positive() });

export type BubblewrapOptions = {
  host: Host;
  limiter: Limiter;
  ingressAddress: string;
  filters: {
    /** The filter of whole sandboxes; undefined on a machine no filter is known for. */
    outer: Buffer | undefined;
    /** Host path of the agent's filter. */
    agentFile: string;
  };
};

/** /bin and its like: links into /usr on most hosts, folders on some. */
function systemLinks(): SystemLink[] {
  const links: SystemLink[] = [];
  for (const name of ["bin", "sbin", "lib", "lib32", "lib64", "libx32"]) {
    try {
      links.push({ name, target: readlinkSync(`/${name}`) });
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EINVAL") links.push({ name, target: undefined });
    }
  }
  return links;
}

/** bubblewrap writes one JSON object about the sandbox and closes the descriptor. */
async function readInfo(stream: Readable): Promise<number> {
  let text = "";
  for await (const chunk of stream.setEncoding("utf8")) {
    text += String(chunk);
    if (text.includes("}")) break;
  }
  return info.parse(JSON.parse(text))["child-pid"];
}

function isFolder(path: string): boolean {
  return statSync(path).isDirectory();
}

async function prepareDirectory(
  spec: SandboxSpec,
  host: Host,
): Promise<{ etc: string; home: Bind }> {
  const etc = join(spec.directory, "etc");
  const home = join(spec.directory, "home");
  const { hostname } = spec.image;
  await mkdir(home, { recursive: true, mode: 0o700 });
  await chown(home, host.uid, host.gid);
  await writeEtc(etc, { hostname, home: homeOf(spec.image), uid: host.uid, gid: host.gid });
  return { etc, home: { source: home, target: homeOf(spec.image), mode: "rw" } };
}

async function requireSources(binds: Bind[]): Promise<void> {
  for (const bind of binds) {
    await access(bind.source).catch(() => {
      throw new Error(`the image lists ${bind.source}, which is not there`);
    });
  }
}

export function createBubblewrapLauncher(options: BubblewrapOptions): Launch {
  const { host, filters, limiter } = options;
  return async (spec: SandboxSpec): Promise<Sandbox> => {
    await requireSources(spec.image.binds);
    const { etc, home } = await prepareDirectory(spec, host);
    const filter: Bind = { source: filters.agentFile, target: AGENT_FILTER_PATH, mode: "ro" };
    const mounts = sandboxMounts(spec.image.binds, { home, filter }, (folder) =>
      readdirSync(folder),
    );
    const sources = [etc, ...mounts.map((mount) => mount.source)];
    const staged = host.switchesUser
      ? staging(mounts, etc, stagingPlace(sources, existsSync), isFolder)
      : undefined;
    const { memoryBytes = Infinity } = spec.image;
    const layout = sandboxArguments({
      mounts: staged?.mounts ?? mounts,
      etc: staged?.etc ?? etc,
      systemLinks: systemLinks(),
      hostname: spec.image.hostname,
      cwd: spec.image.cwd,
      env: spec.env,
      temporaryBytes: Math.min(DEFAULT_TEMPORARY_BYTES, Math.floor(memoryBytes / 2)),
      descriptors: {
        info: FD.info,
        block: FD.block,
        seccomp: filters.outer === undefined ? undefined : FD.seccomp,
      },
    });
    const group = limiter.group(spec.name, spec.image);
    const { bwrap } = host.tools;
    const command = [
      ...host.closingDescriptors,
      ...group.prefix,
      ...(staged?.prefix ?? []),
      ...host.asOwner,
      ...[bwrap, "--args", String(FD.arguments), "--"],
      ...spec.command,
    ];
    const [program = "", ...rest] = command;
    const child = spawn(program, rest, {
      stdio: ["ignore", "pipe", "pipe", "pipe", "pipe", "pipe", "pipe"],
      env: TOOL_ENVIRONMENT,
      cwd: "/",
    });
    if (child.stdout !== null) eachLine(child.stdout, (line) => spec.log("stdout", line));
    if (child.stderr !== null) eachLine(child.stderr, (line) => spec.log("stderr", line));
    pipe(child, FD.arguments).end(words(layout));
    pipe(child, FD.seccomp).end(filters.outer ?? "");
    const block = pipe(child, FD.block);

    let firstProcess: number | undefined;
    const exited = new Promise<number>((resolve) => {
      child.once("error", (error) => {
        spec.log("engine", `bubblewrap did not start: ${error.message}`);
        resolve(127);
      });
      child.once("exit", (code) => resolve(code ?? 137));
    }).then(async (code) => {
      if (firstProcess !== undefined) await untilGone(firstProcess);
      await group.close();
      return code;
    });
    const kill = (): void => void child.kill("SIGKILL");
    const ended = exited.then((code) => {
      throw new Error(`bubblewrap ended with ${code} before the sandbox ran`);
    });
    // Only of interest while the sandbox is being set up.
    ended.catch(() => {});

    try {
      const first = await within(
        Promise.race([readInfo(pipe(child, FD.info)), ended]),
        SETUP_DEADLINE,
        "bubblewrap",
      );
      firstProcess = first;
      await within(untilMapped(first), SETUP_DEADLINE, "mapping the sandbox's user");
      const opening = openNetworkNamespace({
        target: first,
        egress: spec.egress,
        host,
        ingressAddress: options.ingressAddress,
      });
      // A sandbox that ends meanwhile leaves the race early; the network must not outlive it.
      opening.then(
        (opened) => void exited.then(() => opened.close()),
        () => {},
      );
      const network = await Promise.race([opening, ended]);
      block.end("1");
      return {
        pid: first,
        exited,
        signal: (name) => signalQuietly(entryProcess(first) ?? first, name),
        kill,
        dial: network.dial,
        exec: (exec) => execIn(first, exec, { host, filter: filters.outer, prefix: group.prefix }),
      };
    } catch (error) {
      kill();
      await exited;
      throw error;
    }
  };
}
