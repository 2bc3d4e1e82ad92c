/** The model catalogue that the gateway's package carries → what each model may write. Pure. */
import * as z from "zod";

/** Plugins of the gateway that list the models of a provider that is named the same here. */
export const CATALOGUES = ["anthropic", "openai", "google"] as const;

const model = z.looseObject({ id: z.string(), maxTokens: z.int().positive() });
const plugin = z.looseObject({
  id: z.enum(CATALOGUES),
  modelCatalog: z.looseObject({
    providers: z.record(z.string(), z.looseObject({ models: z.array(model) })),
  }),
});
const build = z.looseObject({ version: z.string(), builtAt: z.iso.datetime() });

/** The source file that the ledger reads. */
export function outputMaximums(buildInfo: unknown, plugins: readonly unknown[]): string {
  const { version, builtAt } = build.parse(buildInfo);
  const providers = plugins.map((given) => {
    const { id, modelCatalog } = plugin.parse(given);
    const models = (modelCatalog.providers[id]?.models ?? [])
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ id: name, maxTokens }) => `    ["${name}", ${maxTokens}],\n`);
    return `  ${id}: new Map([\n${models.join("")}  ]),\n`;
  });
  return `/**
 * The most that a model writes in one answer, its thinking included. Written by the build from the model
 * catalogue in openclaw ${version} of ${builtAt.slice(0, 10)}.
 */
export const OUTPUT_MAXIMUMS: Partial<Record<string, ReadonlyMap<string, number>>> = {
${providers.join("")}};
`;
}
