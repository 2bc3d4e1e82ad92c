/**
 * The emulated provider as a process of its own: what it leaves to be collected stands in nobody
 * else's way. Prints its address.
 */
import { startAnthropic } from "../../test/emulators/anthropic.ts";

const FORGET_EVERY_MS = 50;

const provider = await startAnthropic();
setInterval(() => {
  provider.requests.length = 0;
}, FORGET_EVERY_MS);
process.stdout.write(`${provider.url}\n`);
