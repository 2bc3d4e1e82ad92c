/**
 * Why a model call has no answer of a provider, and how that is told in a provider's own words,
 * so that every client's error handling works on it.
 *
 * OpenClaw repeats a call after a 5xx, and shows a person a sentence of its own in place of these words. What
 * has been tried here to the end, without a word of a provider's, is therefore a 400, and its message has the
 * words by which OpenClaw finds the sentence that is true. What a provider said: `turn-refusals.ts`.
 */
import type { CapReached } from "./ledger/calls.ts";
import type { ErrorFormat, Provider } from "./providers.ts";

export type Failure =
  | { reason: "no-such-path" }
  | { reason: "wrong-method"; allow: string }
  | { reason: "not-configured"; provider: Provider }
  | { reason: "body-too-large"; limit: number }
  | { reason: "body-unreadable" }
  | { reason: "body-too-slow"; ms: number }
  | { reason: "too-much-at-once" }
  | { reason: "cap-reached"; reached: CapReached }
  | { reason: "ledger-unreachable"; cause: string }
  /** `sent`: the request may have arrived all the same. */
  | { reason: "unreachable"; provider: Provider; cause: string; sent: boolean }
  | { reason: "no-answer-in-time"; provider: Provider; ms: number }
  | { reason: "redirected"; provider: Provider; status: number }
  | { reason: "unreadable-error"; provider: Provider; status: number }
  | { reason: "cancelled" };

interface Told {
  status: number;
  message: string;
  anthropicType: string;
  openaiType: string;
  openaiCode: string | null;
  googleStatus: string;
  headers?: Record<string, string>;
}

export function failureReply(format: ErrorFormat, failure: Failure): Response {
  const told = tell(failure);
  return Response.json(bodyOf(format, told), { status: told.status, headers: told.headers ?? {} });
}

function bodyOf(format: ErrorFormat, told: Told): object {
  const { message } = told;
  switch (format) {
    case "anthropic":
      return { type: "error", error: { type: told.anthropicType, message } };
    case "openai":
      return {
        error: { message, type: told.openaiType, param: null, code: told.openaiCode },
      };
    case "google":
      return { error: { code: told.status, message, status: told.googleStatus } };
  }
}

function tell(failure: Failure): Told {
  switch (failure.reason) {
    case "no-such-path":
      return {
        ...request(404, "not_found_error", "unknown_url"),
        message: "moltworker answers no such model path.",
      };
    case "wrong-method":
      return {
        ...request(405, "invalid_request_error", "method_not_supported"),
        message: `This path takes ${failure.allow} only.`,
        headers: { allow: failure.allow },
      };
    case "body-too-large":
      return {
        ...request(413, "request_too_large", "request_too_large"),
        message: `The request is larger than ${Math.floor(failure.limit / 1_048_576)} MiB.`,
      };
    case "body-unreadable":
      return {
        ...request(400, "invalid_request_error", "invalid_request_body"),
        message:
          "moltworker cannot read from this body what the call may cost: it takes one JSON object with one model (fallbacks are set in the admin page), a whole number for each limit, and no member twice or in two spellings.",
      };
    case "body-too-slow":
      return {
        ...request(408, "invalid_request_error", "request_timeout"),
        message: `The request's body did not arrive within ${failure.ms / 1000} s.`,
      };
    case "too-much-at-once":
      return {
        ...server(503, "overloaded_error"),
        message: "Too many large requests are under way at once.",
        headers: { "retry-after": "2" },
      };
    case "cap-reached":
      return {
        // Not the status of an empty account or a rate limit: clients would wait, repeat, or lock
        // the provider out for minutes after the cap was raised.
        ...request(400, "invalid_request_error", "moltworker_cap_reached"),
        message: capMessage(failure.reached),
        headers: { "x-should-retry": "false" },
      };
    case "ledger-unreachable":
      return {
        ...server(503, "api_error"),
        message: "moltworker's ledger did not answer, so the call was not made.",
        headers: { "retry-after": "1" },
      };
    case "not-configured":
      return {
        status: 401,
        anthropicType: "authentication_error",
        openaiType: "invalid_request_error",
        openaiCode: "invalid_api_key",
        googleStatus: "UNAUTHENTICATED",
        message: `${failure.provider.title} is not set up in moltworker: set ${failure.provider.settings}.`,
      };
    case "unreachable":
      return {
        ...triedToTheEnd("moltworker_unreachable"),
        // "host is unreachable": the person reads that the provider's endpoint is unreachable.
        message: `moltworker could not reach ${failure.provider.title}: its host is unreachable or ended the connection.`,
      };
    case "no-answer-in-time":
      return {
        ...triedToTheEnd("moltworker_no_answer_in_time"),
        // "connection aborted": the person reads that the connection was interrupted. "Timeout" would be repeated.
        message: `${failure.provider.title} did not begin to answer within ${failure.ms / 1000} s: connection aborted.`,
      };
    case "redirected":
      return {
        ...server(502, "api_error"),
        message: `${failure.provider.title} answered with a redirect (${failure.status}), which moltworker does not follow: check the base address.`,
      };
    case "unreadable-error":
      return {
        ...server(failure.status, "api_error"),
        message: `${failure.provider.title} answered ${failure.status} with a body that moltworker does not pass on.`,
      };
    case "cancelled":
      return { ...server(499, "api_error"), message: "The request was cancelled." };
  }
}

/**
 * OpenClaw shows this one to the person as it is, because it speaks of a usage limit and of when that
 * resets, in no more than 300 characters.
 */
function capMessage({ period, unit, cap, used }: CapReached): string {
  const amount = (value: number) =>
    unit === "usd" ? `$${value.toFixed(2)}` : `${Math.round(value)} tokens`;
  return (
    `moltworker did not make this call: it does not fit the ${period === "day" ? "daily" : "monthly"} ` +
    `usage limit of ${amount(cap)}, of which ${amount(used)} are used or reserved. Raise it for today in ` +
    `the admin page under Spend (/_admin/), or wait until it resets with the ${period} (UTC). ` +
    `(已达到支出上限：请在管理页的“支出”中为今天提高上限。)`
  );
}

function request(status: number, anthropicType: string, openaiCode: string) {
  const googleStatus = status === 404 ? "NOT_FOUND" : "INVALID_ARGUMENT";
  return { status, anthropicType, openaiType: "invalid_request_error", openaiCode, googleStatus };
}

/** No fault of the request, so the type says so; a client that asks again would only wait once more. */
function triedToTheEnd(openaiCode: string) {
  return {
    status: 400,
    anthropicType: "api_error",
    openaiType: "api_error",
    openaiCode,
    googleStatus: "FAILED_PRECONDITION",
    headers: { "x-should-retry": "false" },
  };
}

function server(status: number, anthropicType: string) {
  return {
    status,
    anthropicType,
    openaiType: "server_error",
    openaiCode: null,
    googleStatus: "UNAVAILABLE",
  };
}
