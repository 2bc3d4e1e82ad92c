// Puts the channel plugins that the lockfile pins where the gateway keeps those it ships with. From a
// folder named in the settings it takes no file that is somebody else's or a hard link, and opens some
// of its stores to no plugin there. Their dependencies stay where npm put them, because the gateway
// loads every relative import below its own dist as an ES module.
// Usage: node bundle-plugins.mjs <node_modules folder> <plugin>…
import { cp, mkdir, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import path from "node:path";

const [folder, ...plugins] = process.argv.slice(2);
if (folder === undefined || plugins.length === 0) {
  process.stderr.write("usage: node bundle-plugins.mjs <node_modules folder> <plugin>…\n");
  process.exit(2);
}
const modules = path.resolve(folder);
const extensions = path.join(modules, "openclaw", "dist", "extensions");

for (const name of plugins) {
  const source = path.join(modules, "@openclaw", name);
  const target = path.join(extensions, name);
  const version = await versionIn(source);
  if ((await versionIn(target)) === version) continue;
  const fresh = `${target}.new-${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh);
  for (const entry of await readdir(source)) {
    if (entry === "node_modules") continue;
    await cp(path.join(source, entry), path.join(fresh, entry), { recursive: true });
  }
  const dependencies = path.relative(target, path.join(source, "node_modules"));
  await symlink(dependencies, path.join(fresh, "node_modules"));
  await rm(target, { recursive: true, force: true });
  await rename(fresh, target);
  process.stdout.write(`${name} ${version}\n`);
}

async function versionIn(place) {
  try {
    return JSON.parse(await readFile(path.join(place, "package.json"), "utf8")).version;
  } catch {
    return undefined;
  }
}
