/** A program in the gateway's place that tries, as the agent, to get at the supervisor. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

export const findings = z.object({
  uid: z.number(),
  /** Processes it saw that are not its user's. */
  others: z.array(z.number()),
  /** Processes it saw that run the supervisor's program. */
  supervisors: z.array(z.number()),
  /** What worked against one of them: `environ 12`, `ptrace 12`, … */
  reached: z.array(z.string()),
  /** Files and environments in which the control token was found. */
  tokenIn: z.array(z.string()),
  /** Status codes of the control port, by route. */
  control: z.record(z.string(), z.number()),
  noNewPrivileges: z.boolean(),
  capabilities: z.string(),
  environment: z.array(z.string()),
  openFiles: z.array(z.string()),
  canWriteOutside: z.array(z.string()),
});
export type Findings = z.infer<typeof findings>;

/** Makes a folder that looks like the gateway's package. */
export async function writeIntruder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{"version":"0.0.0"}');
  await writeFile(join(folder, "openclaw.mjs"), GATEWAY);
  await writeFile(join(folder, "intruder.py"), INTRUDER);
  return folder;
}

const MARK = "INTRUDER ";

/** What it found, once it has printed that. */
export function readFindings(log: string): Findings | undefined {
  const line = log.split("\n").find((one) => one.includes(MARK));
  return line === undefined
    ? undefined
    : findings.parse(JSON.parse(line.slice(line.indexOf(MARK) + MARK.length)));
}

/** Starts the intruder as a tool of the agent would be started, and obeys signals like the gateway. */
const GATEWAY = `
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
const config = readFileSync(process.env.HOME + "/.openclaw/openclaw.json", "utf8");
if (config.includes("unacceptable")) {
  console.error("Invalid config: gateway: Unrecognized key: unacceptable");
  process.exit(78);
}
process.on("SIGTERM", () => { console.log("asked to stop"); process.exit(0); });
spawn("/usr/bin/python3", [new URL("intruder.py", import.meta.url).pathname], { stdio: "inherit" });
// A program that leaves its parent and its session, as a daemon does.
spawn("/bin/sh", ["-c", "setsid sleep 300 & exit 0"], { stdio: "ignore" });
setInterval(() => undefined, 1000);
`;

const INTRUDER = `
import ctypes, json, os, re, urllib.request, urllib.error

# Put together at run time, so that this file is not what is found.
MARKER = ("control-" + "token-of-this-test").encode()
libc = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, PTRACE_DETACH = 16, 17

def real_uid(pid):
    try:
        return int(re.search(r"^Uid:\\s*(\\d+)", open(f"/proc/{pid}/status").read(), re.M).group(1))
    except OSError:
        return -1

me = os.getuid()
others = [int(name) for name in os.listdir("/proc") if name.isdigit()]
others = [pid for pid in others if real_uid(pid) != me]

def runs_supervisor(pid):
    try:
        return b"supervisor.mjs" in open(f"/proc/{pid}/cmdline", "rb").read()
    except OSError:
        return False

supervisors = [int(name) for name in os.listdir("/proc") if name.isdigit() and runs_supervisor(name)]
reached, token_in = [], []
for pid in others:
    for name in ("environ", "mem", "maps", "io", "fd/0", "root/etc/hostname"):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                if file.read(1):
                    reached.append(f"{name} {pid}")
        except (OSError, ValueError) as error:
            if name == "mem" and getattr(error, "errno", 0) == 5:
                reached.append(f"mem {pid}")
    if libc.ptrace(PTRACE_ATTACH, pid, 0, 0) == 0:
        reached.append(f"ptrace {pid}")
        os.waitpid(pid, 0)
        libc.ptrace(PTRACE_DETACH, pid, 0, 0)
    try:
        os.kill(pid, 0)
        reached.append(f"kill {pid}")
    except OSError:
        pass

def look(path):
    try:
        with open(path, "rb") as file:
            if MARKER in file.read(4_000_000):
                token_in.append(path)
    except OSError:
        pass

for pid in [name for name in os.listdir("/proc") if name.isdigit()]:
    look(f"/proc/{pid}/environ")
    look(f"/proc/{pid}/cmdline")
config = json.load(open(os.environ["HOME"] + "/.openclaw/openclaw.json"))
for top in {config["runDirOfThisTest"], "/run", "/tmp", "/var/tmp", "/dev/shm", os.environ["HOME"]}:
    # Outside a sandbox these are the whole machine's.
    shared = top in ("/tmp", "/var/tmp")
    for folder, folders, names in os.walk(top):
        if shared:
            folders.clear()
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                look(path)

control = {}
port = config["controlPortOfThisTest"]
gateway_token = open(config["tokenFileOfThisTest"]).read()
for method, route, token in (
    ("GET", "/v1/status", None), ("GET", "/v1/logs", gateway_token), ("POST", "/v1/rpc", "x" * 40),
    ("PUT", "/v1/devices", None), ("POST", "/v1/stop", gateway_token), ("GET", "/v1/events", None),
    ("POST", "/v1/boot", None),
):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    body = None if method == "GET" else json.dumps(config["bootOfThisTest"] if route == "/v1/boot" else {}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{route}", body, headers, method=method)
    try:
        control[f"{method} {route}"] = urllib.request.urlopen(request, timeout=10).status
    except urllib.error.HTTPError as error:
        control[f"{method} {route}"] = error.code

writable = []
for folder in (config["runDirOfThisTest"], config["runDirOfThisTest"] + "/agent", "/opt", "/etc", "/usr"):
    try:
        with open(folder + "/intruder-was-here", "w"):
            writable.append(folder)
    except OSError:
        pass

status = open("/proc/self/status").read()
print("INTRUDER " + json.dumps({
    "uid": me,
    "others": others,
    "supervisors": supervisors,
    "reached": reached,
    "tokenIn": token_in,
    "control": control,
    "noNewPrivileges": "NoNewPrivs:\\t1" in status,
    "capabilities": re.search(r"^CapEff:\\s*(\\w+)", status, re.M).group(1),
    "environment": sorted(os.environ),
    "openFiles": [os.readlink(f"/proc/{os.getppid()}/fd/{fd}") for fd in os.listdir(f"/proc/{os.getppid()}/fd")],
    "canWriteOutside": writable,
}), flush=True)
`;
