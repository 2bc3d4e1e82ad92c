/** The release this bundle was built from; a test compares it with `package.json`. */
export const VERSION = "0.1.0";
/** The behaviour of the platform at this date; `wrangler.jsonc` says the same. */
export const COMPATIBILITY_DATE = "2026-11-17";
