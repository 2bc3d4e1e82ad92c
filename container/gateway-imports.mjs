// Loaded into the gateway before its own code (`node --import`). Node asks the file system several
// times for each of the thousands of imports between the gateway's own files; that such an import
// means the file beside it is known from its text. The answer is the one that Node would give.
import { registerHooks } from "node:module";

const OWN_FILES = "/node_modules/openclaw/dist/";

registerHooks({
  resolve(specifier, context, next) {
    const parent = context.parentURL;
    if (parent === undefined || !isRelativeModule(specifier)) return next(specifier, context);
    const end = parent.indexOf(OWN_FILES);
    if (end === -1 || context.conditions.includes("require")) return next(specifier, context);
    const url = new URL(specifier, parent).href;
    if (!url.startsWith(parent.slice(0, end + OWN_FILES.length))) return next(specifier, context);
    return { url, format: "module", shortCircuit: true };
  },
});

/** @param {string} specifier */
function isRelativeModule(specifier) {
  return (specifier.startsWith("./") || specifier.startsWith("../")) && specifier.endsWith(".mjs");
}
