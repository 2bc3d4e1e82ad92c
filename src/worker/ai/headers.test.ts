import { expect, it } from "vitest";
import { passHeaders } from "./headers.ts";
import { PROVIDERS } from "./providers.ts";

const HOSTILE = {
  authorization: "Bearer placeholder",
  "x-api-key": "placeholder",
  cookie: "a=b",
  "x-forwarded-for": "1.2.3.4",
  forwarded: "for=1.2.3.4",
  "x-real-ip": "1.2.3.4",
  "cf-connecting-ip": "1.2.3.4",
  "cf-aig-authorization": "Bearer placeholder",
  "openai-organization": "org-1",
  "openai-project": "proj-1",
  "x-moltworker-client": "1.2.3.4",
  "accept-encoding": "gzip",
};

it.each(PROVIDERS.map((provider) => [provider.id, provider] as const))(
  "%s gets what belongs to the call and nothing else",
  (_id, { requestHeaders }) => {
    const passed = passHeaders(
      new Headers({ ...HOSTILE, "content-type": "application/json", accept: "text/event-stream" }),
      requestHeaders,
    );
    expect(Object.fromEntries(passed)).toEqual({
      "content-type": "application/json",
      accept: "text/event-stream",
    });
  },
);

it.each(PROVIDERS.map((provider) => [provider.id, provider] as const))(
  "from %s come limits and request ids, no cookie and no account",
  (_id, { responseHeaders }) => {
    const passed = passHeaders(
      new Headers({
        "content-type": "text/event-stream",
        "retry-after": "7",
        "request-id": "req_1",
        "set-cookie": "a=b",
        "anthropic-organization-id": "org-1",
        "openai-organization": "org-1",
        connection: "keep-alive",
        "transfer-encoding": "chunked",
        "content-length": "10",
        server: "x",
      }),
      responseHeaders,
    );
    expect(Object.fromEntries(passed)).toEqual({
      "content-type": "text/event-stream",
      "retry-after": "7",
      "request-id": "req_1",
    });
  },
);
