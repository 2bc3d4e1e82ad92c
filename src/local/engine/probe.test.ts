import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findTool, searchPath } from "./bubblewrap/host.ts";
import { mendNamespaces, probeEngines } from "./probe.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "probe-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const path = searchPath(process.env["PATH"] ?? "");

describe.skipIf(process.platform !== "linux")("probing for bubblewrap", () => {
  it("says what to install where nothing is", async () => {
    const { bubblewrap } = await probeEngines({ path: folder, dockerSocket: "/nonexistent" });
    expect(bubblewrap).toEqual({
      ok: false,
      reason: "not installed: bwrap, ip, nsenter, setpriv",
      mend: "Type `sudo apt-get install bubblewrap iproute2 util-linux`",
    });
  });

  it("says what a bubblewrap that is blocked complains about", async () => {
    for (const name of ["ip", "nsenter", "setpriv", "sh", "cat"]) {
      await symlink(findTool(name, path) ?? "", join(folder, name));
    }
    const blocked =
      '#!/bin/sh\ncase "$1" in --version) echo bubblewrap 9;; *) echo "setting up uid map: Permission denied" >&2; exit 1;; esac\n';
    await writeFile(join(folder, "bwrap"), blocked, { mode: 0o755 });
    const { bubblewrap } = await probeEngines({ path: folder, dockerSocket: "/nonexistent" });
    expect(bubblewrap).toMatchObject({
      ok: false,
      reason: expect.stringContaining("Permission denied"),
      mend: expect.stringContaining("Type"),
    });
  });
});

it("names the switch that is set against user namespaces", () => {
  const mend = (appArmorRestricts: boolean, cloneDisabled: boolean): string =>
    mendNamespaces({ appArmorRestricts, cloneDisabled });
  expect(mend(true, true)).toContain("AppArmor");
  expect(mend(false, true)).toContain("kernel.unprivileged_userns_clone=1");
  expect(mend(false, false)).toContain("user.max_user_namespaces");
});

it("says that no Docker answers", async () => {
  const { docker } = await probeEngines({ dockerSocket: join(folder, "no.sock") });
  expect(docker).toMatchObject({ ok: false, reason: expect.stringContaining("ENOENT") });
});
