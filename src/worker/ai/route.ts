/**
 * A model call's method and path → provider and path there. Fails closed: what is not an
 * endpoint of a provider, in its one spelling, goes nowhere.
 */
import { PROVIDERS } from "./providers.ts";
import type { Endpoint, Provider } from "./providers.ts";
import type { WireName } from "./wire.ts";

export type Route =
  | {
      ok: true;
      provider: Provider;
      path: string;
      /** Absent where a call costs nothing. */
      wire?: WireName;
      /** The model, where the path names it. */
      model?: string;
    }
  | { ok: false; reason: "no-such-path"; provider?: Provider }
  | { ok: false; reason: "wrong-method"; provider: Provider; allow: string };

export function routeOf(method: string, pathname: string): Route {
  const provider = PROVIDERS.find(({ prefix }) => pathname.startsWith(`${prefix}/`));
  if (provider === undefined) return { ok: false, reason: "no-such-path", ...nearest(pathname) };

  const path = pathname.slice(provider.prefix.length);
  const found = provider.endpoints.flatMap((endpoint) => {
    const match = matches(endpoint, path);
    return match === undefined ? [] : [{ endpoint, model: match.id }];
  });
  if (found.length === 0) return { ok: false, reason: "no-such-path", provider };
  const right = found.find(({ endpoint }) => endpoint.method === method);
  if (right === undefined) {
    const allow = found.map(({ endpoint }) => endpoint.method).join(", ");
    return { ok: false, reason: "wrong-method", provider, allow };
  }
  const { endpoint, model } = right;
  return {
    ok: true,
    provider,
    path,
    ...(endpoint.wire === undefined ? {} : { wire: endpoint.wire }),
    ...(model === undefined ? {} : { model }),
  };
}

/** A model's id as it stands in a path: no escape, so nothing can be decoded into another path. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._:@-]*$/;
/** Before an action (`:generateContent`) it holds no colon. */
const ID_BEFORE_ACTION = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

function matches(endpoint: Endpoint, path: string): { id?: string } | undefined {
  const [folder = "", action] = endpoint.path.split("{id}");
  if (action === undefined) return path === endpoint.path ? {} : undefined;
  if (!path.startsWith(folder) || !path.endsWith(action)) return undefined;
  const id = path.slice(folder.length, path.length - action.length);
  return (action === "" ? ID : ID_BEFORE_ACTION).test(id) ? { id } : undefined;
}

/** Whose words the error is told in when only the first segment is right. */
function nearest(pathname: string): { provider?: Provider } {
  const first = pathname.split("/")[1] ?? "";
  const provider = PROVIDERS.find(({ id }) => id === first);
  return provider === undefined ? {} : { provider };
}
