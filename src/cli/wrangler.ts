/** Wrangler, the platform's own tool, as a program; it keeps the login and does the upload. */
import { spawn } from "node:child_process";
import path from "node:path";

export interface WranglerResult {
  code: number;
  output: string;
}

/** `show` passes what wrangler prints on as it comes; otherwise it is only collected. */
export function wrangler(
  root: string,
  args: readonly string[],
  { show }: { show: boolean },
): Promise<WranglerResult> {
  const program = path.join(root, "node_modules", "wrangler", "bin", "wrangler.js");
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: root,
      stdio: show ? ["inherit", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
      env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
    });
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", (error) => resolve({ code: 1, output: error.message }));
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
