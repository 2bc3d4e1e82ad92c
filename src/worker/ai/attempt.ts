/** One call to one provider: sent, and answered or failed within its deadline. */
import { readErrorBody } from "./error-body.ts";
import type { Failure } from "./failure.ts";
import { gatewayHeaders } from "./cloudflare-gateway.ts";
import { passHeaders } from "./headers.ts";
import type { Provider, Upstream } from "./providers.ts";

export interface Call {
  provider: Provider;
  upstream: Upstream;
  method: string;
  /** Below the provider's base address, with the query. */
  target: string;
  headers: Headers;
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;
  /** Aborts when the caller has gone. */
  signal: AbortSignal;
  /** What Cloudflare AI Gateway writes beside the call in its own log. */
  metadata: Record<string, string>;
}

export type Outcome =
  | {
      ok: true;
      status: number;
      headers: Headers;
      answer: Answer;
      /** The provider's own id of the call. */
      requestId?: string;
    }
  | { ok: false; failure: Failure };

export type Answer =
  /** Has begun: the first bytes are there. */
  | {
      kind: "begun";
      first: Uint8Array | undefined;
      reader: ReadableStreamDefaultReader<Uint8Array>;
    }
  /** An error, whole and cleared of the key. */
  | { kind: "error"; body: Uint8Array<ArrayBuffer> | string };

/**
 * The deadline covers everything up to the first byte of the body, and the whole of an error's; a
 * stream that has begun may last as long as it lasts.
 */
export async function attempt(call: Call, fetcher: typeof fetch): Promise<Outcome> {
  const { provider, upstream } = call;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), upstream.firstByteMs);
  try {
    const response = await fetcher(`${upstream.baseUrl}${call.target}`, {
      method: call.method,
      headers: requestHeaders(call),
      body: call.body,
      redirect: "manual",
      signal: AbortSignal.any([call.signal, late.signal]),
    });
    return await passOn(call, response);
  } catch (error) {
    if (call.signal.aborted) return { ok: false, failure: { reason: "cancelled" } };
    if (late.signal.aborted) {
      const ms = upstream.firstByteMs;
      return { ok: false, failure: { reason: "no-answer-in-time", provider, ms } };
    }
    const cause = error instanceof Error ? error.message : String(error);
    const sent = !NEVER_SENT.test(cause) && (await mayTakeCalls(upstream.baseUrl, fetcher));
    return { ok: false, failure: { reason: "unreachable", provider, cause, sent } };
  } finally {
    clearTimeout(timer);
  }
}

const NEVER_SENT = /refused|could not be resolved|dns|unreachable|no such host|certificate|tls/i;
const LOOK_MS = 1_000;

/**
 * The runtime says the same of a connection that was lost and of one that never was. Where a second one
 * fails at once as well, as without a network, the first is taken to have carried nothing.
 */
async function mayTakeCalls(baseUrl: string, fetcher: typeof fetch): Promise<boolean> {
  const late = AbortSignal.timeout(LOOK_MS);
  try {
    const init = { method: "HEAD", redirect: "manual", signal: late } as const;
    const answer = await fetcher(new URL(baseUrl).origin, init);
    await answer.body?.cancel();
    return true;
  } catch {
    return late.aborted;
  }
}

function requestHeaders({ provider, upstream, headers, metadata }: Call): Headers {
  const sent = passHeaders(headers, provider.requestHeaders);
  // A compressed stream would arrive in lumps instead of token by token.
  sent.set("accept-encoding", "identity");
  if (upstream.apiKey !== undefined) provider.authorize(sent, upstream.apiKey);
  if (upstream.gateway !== undefined) {
    const own = gatewayHeaders(upstream.gateway, metadata, upstream.firstByteMs);
    for (const [name, value] of Object.entries(own)) sent.set(name, value);
  }
  return sent;
}

async function passOn({ provider, upstream }: Call, response: Response): Promise<Outcome> {
  const { status } = response;
  const headers = passHeaders(response.headers, provider.responseHeaders);
  const id =
    response.headers.get("request-id") ??
    response.headers.get("x-request-id") ??
    response.headers.get("cf-aig-log-id");
  const told = { ok: true, status, headers, ...(id === null ? {} : { requestId: id }) } as const;
  if (status >= 200 && status < 300) {
    const reader = (response.body ?? new Blob([]).stream()).getReader();
    const { value: first } = await reader.read();
    return { ...told, answer: { kind: "begun", first, reader } };
  }
  if (status < 400) {
    await response.body?.cancel();
    return { ok: false, failure: { reason: "redirected", provider, status } };
  }
  const secrets = [upstream.apiKey, upstream.gateway?.token].filter((key) => key !== undefined);
  const body = await readErrorBody(response, secrets);
  if (body === undefined) {
    return { ok: false, failure: { reason: "unreadable-error", provider, status } };
  }
  // The body was decoded while it was read.
  headers.delete("content-encoding");
  return { ...told, answer: { kind: "error", body } };
}
