import { ADMIN_API } from "../../protocol/admin.ts";
import { SETTINGS } from "../config/settings.ts";
import { ok, type AdminCall } from "./calls.ts";

/** What is configured and what is not. Of a secret only that it is set. */
export function settingsReply({ config, version }: AdminCall): Response {
  const { models } = config;
  return ok(ADMIN_API.settings, {
    version,
    notes: config.notes,
    model: models.primary,
    sleepAfter: config.sleepAfter,
    settings: SETTINGS.map((setting) => {
      const value = setting.secret ? undefined : config.settingsShown[setting.name];
      return {
        name: setting.name,
        description: setting.description,
        secret: setting.secret,
        set: config.settingsPresent.includes(setting.name),
        value,
        default: setting.default,
        unused: setting.unused,
      };
    }),
  });
}
