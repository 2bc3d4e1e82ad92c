/**
 * What crosses the Worker in a model call's headers. Fails closed: only listed names pass, so the
 * sandbox's placeholder keys, cookies and forwarding headers never reach a provider, and a
 * provider's cookies and account names never reach the sandbox.
 */
import type { HeaderRules } from "./providers.ts";

export function passHeaders(from: Headers, rules: HeaderRules): Headers {
  const passed = new Headers();
  for (const [name, value] of from) {
    const listed =
      rules.names.includes(name) || rules.prefixes.some((prefix) => name.startsWith(prefix));
    if (listed) passed.append(name, value);
  }
  return passed;
}
