/**
 * Imported before all else: the page's policy forbids making code from text, which a schema would try
 * when it is made.
 */
import { config } from "zod/v4/core";

config({ jitless: true });
