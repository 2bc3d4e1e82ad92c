/** The admin page as a person opens it: signed in, in a language, on a screen. */
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { z } from "zod";
import { adminCode } from "../../src/local/admin-login/code.ts";
import { ADMIN_SECRET } from "./worker-server.ts";

export interface Screen {
  locale: "en-US" | "zh-CN";
  room: string;
  width?: number;
  dark?: boolean;
}

export interface OpenedPage {
  page: Page;
  /** What the page threw, or complained of in the console. */
  errors: string[];
}

let codes = 0;

export async function openAdminPage(
  browser: Browser,
  origin: string,
  { locale, room, width = 1100, dark = false }: Screen,
): Promise<OpenedPage> {
  const context = await browser.newContext({
    locale,
    viewport: { width, height: 740 },
    colorScheme: dark ? "dark" : "light",
    bypassCSP: false,
  });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  codes += 1;
  await page.goto(`${origin}/_admin/login?code=${await adminCode(ADMIN_SECRET, codes)}`);
  await page.waitForURL(`${origin}/_admin/`);
  if (room !== "") await page.goto(`${origin}/_admin/${room}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return { page, errors };
}

const violations = z.object({
  violations: z.array(
    z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string(), any: z.unknown() })) }),
  ),
});

/** By the browser's debugger, which the page's own policy does not bind. */
export async function axeViolations(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const evaluate = (expression: string) =>
    session.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
  await evaluate(axe.source);
  const { result } = await evaluate("axe.run(document)");
  const { violations: found } = violations.parse(result.value);
  return found.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`,
  );
}
