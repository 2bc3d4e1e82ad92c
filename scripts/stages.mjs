import { spawn } from "node:child_process";

/**
 * Runs one stage as a process of its own; its output is shown as it comes (`live`) or only when it
 * fails, and one line says how it ended.
 *
 * @param {string} name
 * @param {string[]} command
 * @param {{live?: boolean}} [options]
 * @returns {Promise<boolean>}
 */
export function runStage(name, command, options = {}) {
  const started = performance.now();
  const [program = "", ...args] = command;
  process.stdout.write(`▸ ${name}\n`);
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: options.live ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
    });
    /** @type {Buffer[]} */
    const output = [];
    child.stdout?.on("data", (chunk) => output.push(chunk));
    child.stderr?.on("data", (chunk) => output.push(chunk));
    /** @param {boolean} ok @param {string} [why] */
    const end = (ok, why = "") => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      if (!ok && output.length > 0) process.stdout.write(Buffer.concat(output));
      process.stdout.write(`${ok ? "✓" : "✗"} ${name} (${seconds} s)${why}\n`);
      resolve(ok);
    };
    child.on("error", (error) => end(false, `: ${error.message}`));
    child.on("close", (code, signal) =>
      end(code === 0, code === 0 ? "" : `: exit ${code ?? signal}`),
    );
  });
}
