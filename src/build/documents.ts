/**
 * The parts of the documents that are written from data. In a document such a part stands between
 * `<!-- generated:name -->` and `<!-- /generated -->`.
 */
import { START_HELP } from "../local/start/options.ts";
import type { Setting } from "../worker/config/setting.ts";
import { SETTINGS } from "../worker/config/settings.ts";
import { ROUTES } from "../worker/routes.ts";
import { CHINESE_SETTINGS } from "../protocol/settings-chinese.ts";
import { slackManifest } from "../protocol/slack-manifest.ts";

export type Section =
  | "start-options"
  | "settings"
  | "settings-zh"
  | "routes"
  | "slack-manifest-http"
  | "slack-manifest-socket";

const SECTIONS: Record<Section, () => string> = {
  "start-options": () => ["```", START_HELP.trimEnd(), "```"].join("\n"),
  settings: () => settingsList(SETTINGS),
  "settings-zh": () => chineseSettingsList(SETTINGS),
  routes: () =>
    ROUTES.map(
      (route) =>
        `- \`${route.pattern}\`${route.when === undefined ? "" : ` (${route.when})`}: ${route.guard} → ${route.room}`,
    ).join("\n"),
  "slack-manifest-http": () => json(slackManifest("https://agent.example.org/webhooks/slack/main")),
  "slack-manifest-socket": () => json(slackManifest()),
};

function json(value: object): string {
  return ["```json", JSON.stringify(value, null, 2), "```"].join("\n");
}

/** The documents that hold such parts, from the root of the repository. */
export const DOCUMENTS = [
  "README.md",
  "README.zh-CN.md",
  "docs/settings.md",
  "docs/settings.zh-CN.md",
  "docs/routes.md",
  "docs/slack.md",
] as const;

/** @throws Error when the document names a part that nothing writes */
export function fillDocument(text: string): string {
  return text.replaceAll(
    /(<!-- generated:([\w-]+) -->\n)[\s\S]*?(<!-- \/generated -->)/g,
    (_all, open: string, name: string, close: string) => {
      if (!isSection(name)) throw new Error(`no generated part is called "${name}"`);
      return `${open}\n${SECTIONS[name]()}\n\n${close}`;
    },
  );
}

function isSection(name: string): name is Section {
  return Object.hasOwn(SECTIONS, name);
}

function settingsList(settings: readonly Setting[]): string {
  return settings
    .map((setting) => {
      const kind = setting.secret ? " (secret)" : "";
      const unset = setting.default === undefined ? "" : ` Unset: ${setting.default}.`;
      const unused = setting.unused === undefined ? "" : ` Here: ${setting.unused}.`;
      return `- \`${setting.name}\`${kind}: ${setting.description}${unset}${unused}`;
    })
    .join("\n");
}

function chineseSettingsList(settings: readonly Setting[]): string {
  return settings
    .map((setting) => {
      const text = CHINESE_SETTINGS[setting.name];
      if (text === undefined) throw new Error(`${setting.name} has no Chinese description`);
      return `- \`${setting.name}\`${setting.secret ? "（密钥）" : ""}：${text}`;
    })
    .join("\n");
}
