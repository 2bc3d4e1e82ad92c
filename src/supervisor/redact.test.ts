import { describe, expect, it } from "vitest";
import { createRedactor } from "./redact.ts";

describe("the redactor", () => {
  it("takes out what it knows, wherever it stands", () => {
    const redactor = createRedactor();
    redactor.learn("abcdef-known");
    expect(redactor.redact("xabcdef-knowny abcdef-known")).toBe("x[redacted]y [redacted]");
  });

  it.each([
    ["authorization: Bearer abc.def-123456", "abc.def-123456"],
    ["key sk-ant-api03-AbCdEf0123456789", "sk-ant-api03-AbCdEf0123456789"],
    ["slack xoxb-1234567890-abcdef", "xoxb-1234567890-abcdef"],
    ["slack xapp-1-A0123456789-abcdef", "xapp-1-A0123456789-abcdef"],
    ["google AIzaSyA0123456789abcdefghijklmnopqrstuv", "AIzaSyA0123456789abcdefghijklmnopqrstuv"],
    ["age AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ", "AGE-SECRET-KEY-1QQQQ"],
    [
      "discord MTIzNDU2Nzg5MDEyMzQ1Njc4.Gabcde.abcdefghijklmnopqrstuvwxyz0123456789",
      "abcdefghijklmnopqrstuvwxyz0123456789",
    ],
    [
      "jwt eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWc",
      "c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWc",
    ],
    ["bot 123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"],
    ["GET /ws?token=0123456789abcdef HTTP", "0123456789abcdef"],
    ['{"apiKey":"0123456789abcdef"}', "0123456789abcdef"],
    ["password=correct-horse", "correct-horse"],
    ["ghp_abcdefghijklmnopqrstuvwxyz0123456789", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"],
  ])("takes the secret out of: %s", (text, secret) => {
    expect(createRedactor().redact(text)).not.toContain(secret);
  });

  it.each([
    "2026-01-01T10:00:00.000+00:00 [gateway] http server listening (14 plugins; 4.0s)",
    "loaded /opt/openclaw/node_modules/@openclaw/plugin-telegram/dist/index.mjs",
    "Error at openclaw-state-worker-runtime.w7KnYZvx.mjs:2248:12",
    "host bedrock-runtime.us-east-1.amazonaws.com is not allowed",
  ])("leaves ordinary lines alone: %s", (line) => {
    expect(createRedactor().redact(line)).toBe(line);
  });
});
