/** The parts of a message's content that matter here, in any of the three wire formats. */
import * as z from "zod";

const part = z.looseObject({ type: z.string().optional(), text: z.string().optional() });

/** A plain string, or a list of parts of which only text and images count. */
export const content = z
  .union([z.string(), z.array(part)])
  .nullish()
  .transform((value) => {
    if (typeof value === "string") return { text: value, images: 0, parts: [] };
    const parts = value ?? [];
    return {
      text: parts.flatMap(({ text }) => (text === undefined ? [] : [text])).join("\n"),
      images: parts.filter(({ type }) => type?.includes("image")).length,
      parts,
    };
  });
