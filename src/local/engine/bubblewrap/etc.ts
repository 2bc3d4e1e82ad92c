/** The private `/etc` of a sandbox: what programs need to find their way, nothing about the host. */
import { chown, copyFile, lchown, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Host files without which programs of the host's /usr do not start or tell the wrong time. */
const COPIED = ["ld.so.cache", "localtime", "mime.types"];
/** Host folders mounted read-only over these places, where the host has them. */
export const SHARED_FOLDERS = [
  "/etc/alternatives",
  "/etc/ssl/certs",
  "/etc/pki/tls",
  "/etc/pki/ca-trust",
];

const NOBODY = {
  passwd: "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin",
  group: "nogroup:x:65534:",
};

function files(hostname: string, home: string): Record<string, string> {
  return {
    passwd: `root:x:0:0:root:${home}:/bin/bash\nagent:x:1000:1000:agent:${home}:/bin/bash\n${NOBODY.passwd}\n`,
    group: `root:x:0:\nagent:x:1000:\n${NOBODY.group}\n`,
    hosts: `127.0.0.1 localhost ${hostname}\n::1 localhost\n`,
    hostname: `${hostname}\n`,
    "resolv.conf": "nameserver 127.0.0.1\noptions timeout:5 attempts:2\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    // Debian's Chromium sources what is in this folder, and ends when nothing is.
    "chromium.d/none": "# no settings\n",
    "os-release": 'ID=moltworker\nNAME="moltworker sandbox"\nPRETTY_NAME="moltworker sandbox"\n',
  };
}

/** Fills `directory`; everything in it belongs to the user the sandbox runs as. */
export async function writeEtc(
  directory: string,
  options: { hostname: string; home: string; uid: number; gid: number },
): Promise<void> {
  await mkdir(join(directory, "cloudflare/certs"), { recursive: true });
  for (const folder of SHARED_FOLDERS) {
    await mkdir(join(directory, folder.slice("/etc/".length)), { recursive: true });
  }
  await mkdir(join(directory, "chromium.d"), { recursive: true });
  for (const [name, text] of Object.entries(files(options.hostname, options.home))) {
    await writeFile(join(directory, name), text);
  }
  for (const name of COPIED) {
    // A host without the file has programs that do without it.
    await copyFile(join("/etc", name), join(directory, name)).catch(() => {});
  }
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    await lchown(join(entry.parentPath, entry.name), options.uid, options.gid);
  }
  await chown(directory, options.uid, options.gid);
}
