import { describe, expect, it } from "vitest";
import { chooseLanguage, waitingPage } from "./waiting-page.ts";

describe("the waiting page", () => {
  it("shows the phase, measured times, the error and the next try, without running any of it", async () => {
    const page = waitingPage(
      {
        phase: "failed",
        kept: true,
        elapsed: 10,
        timings: [{ phase: "starting", ms: 1234 }],
        lastError: '</script><script>alert("x")</script> exit code 78',
        retryIn: 4200,
      },
      null,
    );
    const html = await page.text();
    expect(page.status).toBe(503);
    expect(page.headers.get("retry-after")).toBe("5");
    expect(html).toContain("1.2 s");
    expect(html).toContain("exit code 78");
    expect(html).not.toContain("<script>alert");
    expect(html.match(/<script/g)).toHaveLength(2);
  });

  it("allows its own script only, and no other place to talk to", () => {
    const page = waitingPage({ phase: "booting", elapsed: 0, timings: [], kept: true }, null);
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/default-src 'none'; script-src 'nonce-[\w-]{36}';/);
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
  });

  it("says in both languages when nothing is kept, and only then", async () => {
    const text = async (kept: boolean, language: string) =>
      waitingPage({ phase: "booting", elapsed: 0, timings: [], kept }, language).text();
    expect(await text(false, "en")).toContain("nothing of this agent is kept");
    expect(await text(false, "zh")).toContain("不会保存");
    expect(await text(true, "en")).not.toContain('id="unkept"');
  });

  it("names nothing outside itself", async () => {
    const html = await waitingPage(
      { phase: "booting", elapsed: 0, timings: [], kept: true },
      "zh",
    ).text();
    expect(html).not.toMatch(/(?:src|href)="(?!")/);
    expect(html).toContain("正在启动网关");
    expect(html).toContain('lang="zh-CN"');
  });

  it.each([
    [null, "en"],
    ["zh-CN,zh;q=0.9,en;q=0.8", "zh"],
    ["en-GB,en;q=0.9,zh;q=0.5", "en"],
    ["de-DE,zh;q=0.3,en;q=0.7", "en"],
    ["zh-Hant-TW", "zh"],
    ["zh;q=0,en;q=0.1", "en"],
    ["fr", "en"],
    ["zh;;;;q=,", "zh"],
  ])("for Accept-Language %s is in %s", (header, language) => {
    expect(chooseLanguage(header)).toBe(language);
  });
});
