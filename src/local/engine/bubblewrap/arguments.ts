/** The commands and arguments that make a sandbox. Pure: paths in, words out. */
import { posix } from "node:path";
import { AGENT_FILTER_PATH, type Bind } from "../image.ts";
import { SHARED_FOLDERS } from "./etc.ts";

export type Mount = Bind;

/** A top-level folder that the host may have merged into /usr. */
export type SystemLink = { name: string; target: string | undefined };

export type SandboxLayout = {
  mounts: Mount[];
  systemLinks: SystemLink[];
  /** Host path of the private /etc. */
  etc: string;
  hostname: string;
  cwd: string;
  env: Record<string, string>;
  temporaryBytes: number;
  descriptors: { info: number; block: number; seccomp: number | undefined };
};

/**
 * Depth first: a mount inside another's target must come after it, or it would be covered.
 */
function byDepth(mounts: Mount[]): Mount[] {
  const depth = (mount: Mount): number => mount.target.split("/").length;
  return mounts.toSorted((a, b) => depth(a) - depth(b));
}

const bindOption = (mount: Mount): string[] => [
  mount.mode === "rw" ? "--bind" : "--ro-bind",
  mount.source,
  mount.target,
];

/**
 * The arguments of the sandbox's own bubblewrap. One host user is mapped, to 0; the one capability
 * left lets the supervisor map the user of the agent's nested sandbox.
 */
export function sandboxArguments(layout: SandboxLayout): string[] {
  const { descriptors } = layout;
  return [
    ...["user", "pid", "net", "ipc", "uts"].map((kind) => `--unshare-${kind}`),
    "--unshare-cgroup-try",
    ...["--uid", "0", "--gid", "0", "--hostname", layout.hostname],
    ...["--cap-drop", "ALL", "--cap-add", "CAP_SETFCAP"],
    ...["--die-with-parent", "--new-session"],
    ...["--ro-bind", "/usr", "/usr"],
    ...layout.systemLinks.flatMap(({ name, target }) =>
      target === undefined
        ? ["--ro-bind", `/${name}`, `/${name}`]
        : ["--symlink", target, `/${name}`],
    ),
    ...["--proc", "/proc", "--dev", "/dev"],
    ...["--perms", "1777", "--size", String(layout.temporaryBytes), "--tmpfs", "/tmp"],
    ...["--perms", "0755", "--tmpfs", "/run", "--perms", "0700", "--dir", "/run/moltworker"],
    ...["--perms", "0755", "--tmpfs", "/var", "--perms", "1777", "--dir", "/var/tmp"],
    ...["--ro-bind", layout.etc, "/etc"],
    ...SHARED_FOLDERS.flatMap((folder) => ["--ro-bind-try", folder, folder]),
    ...byDepth(layout.mounts).flatMap(bindOption),
    ...["--remount-ro", "/", "--chdir", layout.cwd, "--clearenv"],
    ...Object.entries(layout.env).flatMap(([name, value]) => ["--setenv", name, value]),
    ...["--info-fd", String(descriptors.info), "--block-fd", String(descriptors.block)],
    ...(descriptors.seccomp === undefined ? [] : ["--seccomp", String(descriptors.seccomp)]),
  ];
}

/** Folders that every system has and nothing needs while a sandbox is made. */
const STAGING_PLACES = ["/mnt", "/media", "/srv", "/opt", "/home"];

/** A place for staging that none of the sources lies in. */
export function stagingPlace(sources: string[], exists: (folder: string) => boolean): string {
  const place = STAGING_PLACES.find(
    (folder) => exists(folder) && !sources.some((source) => `${source}/`.startsWith(`${folder}/`)),
  );
  if (place === undefined) throw new Error("no folder is free to show the mounts in");
  return place;
}

export type Staged = {
  /** Put before the command that makes the sandbox. */
  prefix: string[];
  mounts: Mount[];
  etc: string;
};

/**
 * Shows the sources of the mounts in one folder that the sandbox's user can enter, because that user
 * may have no way to them (a home of mode 0700 above them is enough). It does so as root, in a mount
 * namespace of its own.
 *
 * Every step replaces itself with the next, so that the sandbox's parent is the engine: a process in
 * between that has dropped its powers could not take a sandbox of another user down with it.
 */
const STAGE = `
place=$1 folders=$2 files=$3 table=$4; shift 4
mount -t tmpfs -o mode=0755,nosuid,nodev moltworker "$place"
cd "$place"
mkdir table $folders
for file in $files; do : > $file; done
printf %s "$table" > table/mounts
mount --all --fstab table/mounts
cd /
exec "$@"
`;

/** A word of fstab(5): white space and backslashes as octal numbers. */
function tableWord(text: string): string {
  return text.replaceAll(
    /[\s\\#]/g,
    (found) => `\\${found.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
}

export function staging(
  mounts: Mount[],
  etc: string,
  place: string,
  isFolder: (path: string) => boolean,
): Staged {
  const sources = [...mounts.map((mount) => mount.source), etc];
  const named = sources.map((source, index) => ({ source, name: String(index) }));
  const folders = named.filter(({ source }) => isFolder(source));
  const files = named.filter(({ source }) => !isFolder(source));
  const names = (list: typeof named): string => list.map(({ name }) => name).join(" ");
  const table = named.map(
    ({ source, name }) => `${tableWord(source)} ${place}/${name} none rbind 0 0\n`,
  );
  return {
    prefix: [
      ...["unshare", "--mount", "--", "sh", "-ec", STAGE, "sh"],
      ...[place, names(folders), names(files), table.join("")],
    ],
    mounts: mounts.map((mount, index) => ({ ...mount, source: `${place}/${index}` })),
    etc: `${place}/${mounts.length}`,
  };
}

/**
 * The image's binds and the sandbox's own. A folder bound over the place of the agent's filter is
 * bound entry by entry, because a mount point cannot be created inside a read-only folder.
 */
export function sandboxMounts(
  binds: Bind[],
  own: { home: Bind; filter: Bind },
  entriesOf: (folder: string) => string[],
): Mount[] {
  const filterFolder = posix.dirname(AGENT_FILTER_PATH);
  const image = binds.flatMap((bind) => {
    if (bind.target !== filterFolder) return [bind];
    return entriesOf(bind.source).map((entry) => ({
      source: posix.join(bind.source, entry),
      target: posix.join(bind.target, entry),
      mode: bind.mode,
    }));
  });
  // An image that keeps its agents' home elsewhere lists it itself.
  const listsHome = binds.some((bind) => bind.target === own.home.target);
  return [...image, ...(listsHome ? [] : [own.home]), own.filter];
}
