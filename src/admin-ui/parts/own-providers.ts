import { DEMO_MODEL } from "../../protocol/names.ts";
import type { ModelsOverview } from "../../protocol/spend.ts";

/** The providers that the person has set up: the demo model, which stands in for all, is none. */
export function ownProviders({
  configured,
  providers,
}: Pick<ModelsOverview, "configured" | "providers">): ModelsOverview["providers"] {
  if (configured === `openai/${DEMO_MODEL}`) return [];
  return providers.filter((provider) => provider.ready);
}
