/** The files that are generated from `container/image.ts`: pure text in, pure text out. */
import * as image from "../../container/image.ts";

/** Package names in `container/packages.txt`: one a line, `#` starts a comment. */
export function parsePackageList(
  text: string,
): { ok: true; packages: string[] } | { ok: false; line: number; text: string } {
  const packages: string[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const name = raw.replace(/#.*/, "").trim();
    if (name === "") continue;
    // Debian policy 5.6.1; anything else would be read by the shell of the RUN step.
    if (!/^[a-z0-9][a-z0-9+.-]+$/.test(name)) return { ok: false, line: index + 1, text: name };
    packages.push(name);
  }
  return { ok: true, packages };
}

/** For the dependency-free bootstrap, which installs what is missing: `{program: Debian package}` and the native parts. */
export function packagesJson(): string {
  const programs = Object.fromEntries(image.TOOLS.map((tool) => [tool.program, tool.package]));
  return `${JSON.stringify({ note: "Generated from container/image.ts by `npm run build`.", programs, libraries: image.LIBRARIES, nativeParts: image.NATIVE_PARTS }, null, 2)}\n`;
}

export function dockerfile(extraPackages: readonly string[]): string {
  const { base, user } = {
    base: `${image.BASE.image}:${image.BASE.tag}${image.BASE.digest ? `@${image.BASE.digest}` : ""}`,
    user: image.AGENT_USER,
  };
  const packages = [
    ...new Set([...image.LIBRARIES, ...image.TOOLS.map((tool) => tool.package), ...extraPackages]),
  ].sort();
  const env = Object.entries(image.ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
  const cache = image.SANDBOX.compileCache;
  return `# Generated from container/image.ts by \`npm run build\`: change it there.
# The build context is the project's folder; .dockerignore lets in only what is copied below.
FROM ${base} AS openclaw
WORKDIR /opt/openclaw
COPY container/package.json container/package-lock.json ./
# No install script runs by itself. The gateway does not start before its own last step, which
# touches nothing but its folder, so that one is called by name. What only a developer reads is left
# out; the gateway's own markdown stays, because its skills and templates are markdown.
RUN --mount=type=bind,source=container/bundle-plugins.mjs,target=/tmp/bundle-plugins.mjs \\
    --mount=type=bind,source=container/add-native-parts.mjs,target=/tmp/add-native-parts.mjs \\
    npm ci --ignore-scripts --omit=optional --no-audit --no-fund \\
 && (cd node_modules/openclaw && node scripts/postinstall-bundled-plugins.mjs) \\
 && node /tmp/add-native-parts.mjs . ${image.NATIVE_PARTS.join(" ")} \\
 && node /tmp/bundle-plugins.mjs node_modules ${image.BUNDLED_PLUGINS.join(" ")} \\
 && find node_modules -type f \\( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \\) -delete \\
 && find node_modules -type f -name '*.md' -not -path 'node_modules/openclaw/*' -delete
# The gateway names its compile cache after this file's time, of which a layer keeps whole seconds.
RUN touch -d @946684800 node_modules/openclaw/package.json

FROM ${base}
RUN apt-get update \\
 && apt-get install -y --no-install-recommends ${packages.join(" ")} \\
 && rm -rf /var/lib/apt/lists/* \\
 && userdel --remove node \\
 && groupadd --gid ${user.gid} ${user.name} \\
 && useradd --uid ${user.uid} --gid ${user.gid} --home-dir ${image.SANDBOX.home} --create-home --shell /bin/bash ${user.name} \\
 && mkdir -p ${image.SANDBOX.node}/bin ${image.SANDBOX.run} \\
 && ln -s /usr/local/bin/node ${image.SANDBOX.node}/bin/node
COPY --from=openclaw /opt/openclaw /opt/openclaw
# The gateway runs once, as the user it will run as, so that its first start finds compiled code.
RUN --mount=type=bind,source=container/bake-compile-cache.mjs,target=/tmp/bake.mjs \\
    install -d -o ${user.uid} -g ${user.gid} ${cache} \\
 && setpriv --reuid ${user.uid} --regid ${user.gid} --clear-groups \\
    ${image.SANDBOX.node}/bin/node /tmp/bake.mjs ${image.SANDBOX.openclaw} ${cache} \\
 && chown -R root:root ${cache} && chmod -R a+rX ${cache}
COPY container/skills ${image.SANDBOX.skills}
COPY dist/supervisor.mjs ${image.SANDBOX.supervisor}
COPY dist/agent-program.mjs ${image.SANDBOX.agentProgram}
ENV ${env.join(" \\\n    ")}
WORKDIR ${image.CWD}
EXPOSE 8080 8081
# The supervisor is PID 1 and starts the gateway as ${user.name}; it needs root only for that.
USER root
ENTRYPOINT ${JSON.stringify([...image.CONTAINER_INIT, ...image.ENTRYPOINT])}
`;
}
