import { describe, expect, it } from "vitest";
import { routeOf } from "./route.ts";

describe("a model call's route", () => {
  it.each([
    ["POST", "/anthropic/v1/messages", "anthropic", "/messages"],
    ["POST", "/anthropic/v1/messages/count_tokens", "anthropic", "/messages/count_tokens"],
    ["GET", "/anthropic/v1/models", "anthropic", "/models"],
    ["GET", "/anthropic/v1/models/claude-opus-5", "anthropic", "/models/claude-opus-5"],
    ["POST", "/openai/v1/chat/completions", "openai", "/chat/completions"],
    ["POST", "/openai/v1/responses", "openai", "/responses"],
    ["POST", "/openai/v1/embeddings", "openai", "/embeddings"],
    ["GET", "/openai/v1/models", "openai", "/models"],
  ])("%s %s goes to %s", (method, pathname, id, path) => {
    expect(routeOf(method, pathname)).toMatchObject({ ok: true, provider: { id }, path });
  });

  it.each([
    ["/"],
    ["/v1/messages"],
    ["/anthropic"],
    ["/anthropic/v1"],
    ["/anthropic/v1/"],
    ["/anthropic/v1/messages/"],
    ["/anthropic/v1/complete"],
    ["/anthropic/v1//messages"],
    ["/anthropic//v1/messages"],
    ["//anthropic/v1/messages"],
    ["/Anthropic/v1/messages"],
    ["/anthropic/v1/%6dessages"],
    ["/anthropic/v1/messages%2f..%2fmodels"],
    ["/anthropic/v1/messages;x"],
    ["/anthropic/v1/models/.."],
    ["/anthropic/v1/models/%2e%2e"],
    ["/anthropic/v1/models/a/b"],
    ["/anthropic/v1/models/a%2fb"],
    ["/anthropic/v1/models/"],
    ["/anthropic/v1/organizations/me"],
    ["/openai/v1/files"],
    ["/openai/v1/organization/admin_api_keys"],
    ["/openai/v1/chat\\completions"],
    ["/anthropic/v1/messages/batches"],
  ])("%s is refused", (pathname) => {
    expect(routeOf("POST", pathname)).toMatchObject({ ok: false, reason: "no-such-path" });
    expect(routeOf("GET", pathname)).toMatchObject({ ok: false, reason: "no-such-path" });
  });

  it.each([
    ["GET", "/anthropic/v1/messages", "POST"],
    ["POST", "/openai/v1/models", "GET"],
    ["DELETE", "/openai/v1/models/gpt", "GET"],
    ["OPTIONS", "/openai/v1/responses", "POST"],
  ])("%s %s is told to use %s", (method, pathname, allow) => {
    expect(routeOf(method, pathname)).toMatchObject({ ok: false, reason: "wrong-method", allow });
  });
});
