/**
 * Addresses that a person gave: of a server of their own, or of one section of Cloudflare AI Gateway.
 * Pure.
 */
import { CLOUDFLARE_GATEWAY } from "../ai/cloudflare-gateway.ts";
import { PROVIDERS, type Access, type ProviderId } from "../ai/providers.ts";
import * as field from "./fields.ts";
import type { ConfigProblem, Read } from "./reading.ts";

type Text = ReadonlyMap<string, string>;
type Owner = "anthropic" | "openai";

export interface Address extends Omit<Access, "apiKey"> {
  /** Some other server that speaks OpenAI's formats. */
  compatible: boolean;
}

export interface OlderPair {
  provider: ProviderId;
  compatible: boolean;
  access: Access;
}

const NAMES: Record<Owner, { url: string; key: string }> = {
  anthropic: { url: "ANTHROPIC_BASE_URL", key: "ANTHROPIC_API_KEY" },
  openai: { url: "OPENAI_BASE_URL", key: "OPENAI_API_KEY" },
};
export const TOKEN = "CF_AI_GATEWAY_TOKEN";

/** Whether some address leads to a gateway by itself, so that the gateway's ids are not needed. */
export function namesGateway(text: Text): boolean {
  return ["ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "AI_GATEWAY_BASE_URL"].some(
    (name) => sectionOf(text.get(name) ?? "") !== undefined,
  );
}

export function readAddresses(
  text: Text,
  read: Read,
  problems: ConfigProblem[],
): Partial<Record<Owner, Address>> {
  const found: Partial<Record<Owner, Address>> = {};
  for (const owner of ["anthropic", "openai"] as const) {
    const { url: name, key } = NAMES[owner];
    const url = read(name, field.baseUrl);
    if (url === undefined) continue;
    const address = addressOf(owner, url, text.get(TOKEN));
    if ("problem" in address) {
      problems.push({ name, ...address });
      continue;
    }
    found[owner] = address;
    if (text.has(key) || !needsKey(owner, address)) continue;
    problems.push({
      name: key,
      problem: `is not set, and ${name} needs it`,
      mend:
        address.gateway === undefined
          ? `Set it to the key for that address (any text where none is wanted), or remove ${name}.`
          : `Set it to the provider's key, or set ${TOKEN} when the gateway keeps the keys.`,
    });
  }
  return found;
}

/** The older pair: a key of the provider that the address ends with. */
export function readOlderPair(
  text: Text,
  read: Read,
  problems: ConfigProblem[],
): OlderPair | undefined {
  const name = "AI_GATEWAY_BASE_URL";
  const url = read(name, field.baseUrl);
  const apiKey = text.get("AI_GATEWAY_API_KEY");
  const token = text.get(TOKEN);
  if (!text.has(name)) {
    if (apiKey !== undefined) {
      problems.push({
        name,
        problem: "is not set, and AI_GATEWAY_API_KEY needs it",
        mend: `Set it to ${CLOUDFLARE_GATEWAY}/<account>/<gateway>/anthropic, or use ANTHROPIC_API_KEY.`,
      });
    }
    return undefined;
  }
  if (url === undefined) return undefined;
  if (apiKey === undefined && token === undefined) {
    problems.push({
      name: "AI_GATEWAY_API_KEY",
      problem: `is not set, and ${name} needs it`,
      mend: `Set it to the provider's key, or set ${TOKEN} when the gateway keeps the keys.`,
    });
    return undefined;
  }
  const key = apiKey === undefined ? {} : { apiKey };
  const section = sectionOf(url);
  if (section === undefined) {
    const provider = PROVIDERS.find(({ gatewayPath }) => url.endsWith(gatewayPath))?.id;
    return {
      provider: provider ?? "anthropic",
      compatible: false,
      access: { ...key, baseUrl: url },
    };
  }
  const provider = PROVIDERS.find(({ gatewayPath }) => partOf(gatewayPath) === section.name);
  if (provider === undefined && section.name !== "compat") {
    const known = [...PROVIDERS.map(({ gatewayPath }) => partOf(gatewayPath)), "compat"];
    problems.push({ name, ...wrongSection(section, known.map((one) => `/${one}`).join(", ")) });
    return undefined;
  }
  return {
    provider: provider?.id ?? "openai",
    compatible: provider === undefined,
    access: {
      ...key,
      baseUrl: `${section.gateway}${provider?.gatewayPath ?? "/compat"}`,
      gateway: token === undefined ? {} : { token },
    },
  };
}

function addressOf(
  owner: Owner,
  url: string,
  token: string | undefined,
): Address | { problem: string; mend: string } {
  const section = sectionOf(url);
  if (section === undefined) {
    const other = owner === "openai" && new URL(url).hostname !== "api.openai.com";
    return { baseUrl: url, compatible: other };
  }
  const gateway = token === undefined ? {} : { token };
  const base = `${section.gateway}/${section.name}`;
  if (section.name === owner) return { baseUrl: base, compatible: false, gateway };
  if (owner === "anthropic") return wrongSection(section, "/anthropic");
  if (section.name === "compat") return { baseUrl: base, compatible: true, gateway };
  const foreign =
    section.name === "" ||
    section.name === "anthropic" ||
    (section.name === "google-ai-studio" && !section.rest.includes("/openai"));
  if (foreign) return wrongSection(section, "/openai, or with /compat for another provider");
  return { baseUrl: url, compatible: true, gateway };
}

/** A server of one's own may want no key; a gateway without one must keep them, for its token. */
function needsKey(owner: Owner, { gateway, compatible }: Address): boolean {
  if (gateway !== undefined) return gateway.token === undefined;
  return owner === "anthropic" || !compatible;
}

interface Section {
  /** `https://gateway.ai.cloudflare.com/v1/account/gateway`, or as much of it as there is. */
  gateway: string;
  /** Empty when the address ends before it. */
  name: string;
  rest: string;
}

/** Undefined for an address elsewhere. */
function sectionOf(url: string): Section | undefined {
  if (!URL.canParse(url)) return undefined;
  const { origin, host } = new URL(CLOUDFLARE_GATEWAY);
  const { host: named, pathname } = new URL(url);
  if (named !== host) return undefined;
  const [version = "", account = "", gateway = "", name = "", ...rest] = pathname
    .split("/")
    .slice(1);
  return {
    gateway: [origin, version, account, gateway].join("/"),
    name,
    rest: rest.map((part) => `/${part}`).join(""),
  };
}

function partOf(gatewayPath: string): string {
  return gatewayPath.split("/")[1] ?? "";
}

function wrongSection({ name }: Section, known: string): { problem: string; mend: string } {
  return {
    problem:
      name === ""
        ? "names a gateway of Cloudflare AI Gateway, and no provider in it"
        : `names the section /${name} of Cloudflare AI Gateway, which is not spoken to here`,
    mend: `Let it end with ${known}: ${CLOUDFLARE_GATEWAY}/<account>/<gateway>/….`,
  };
}
