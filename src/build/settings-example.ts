import type { Setting } from "../worker/config/setting.ts";

/** `.dev.vars.example`: every setting with its description, all commented out. */
export function settingsExample(settings: readonly Setting[]): string {
  const used = settings.filter((setting) => setting.unused === undefined);
  const unused = settings.filter((setting) => setting.unused !== undefined);
  return [
    "# Generated from src/worker/config/settings.ts by `npm run build`.",
    "# Copy to .dev.vars and fill in what you need; nothing is needed for a first try.",
    "# The environment wins over .dev.vars. Deployed: `npx wrangler secret put NAME`.",
    "",
    ...used.map(entry),
    "# --- Known from other setups, without effect here ---",
    "",
    ...unused.map(entry),
  ].join("\n");
}

function entry(setting: Setting): string {
  const unset = setting.default === undefined ? "" : `# Unset: ${setting.default}.\n`;
  const unused = setting.unused === undefined ? "" : ` (${setting.unused})`;
  return `# ${setting.description}${unused}\n${unset}# ${setting.name}=\n`;
}
