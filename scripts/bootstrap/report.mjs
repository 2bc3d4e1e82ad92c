import path from "node:path";
import { fileURLToPath } from "node:url";
import { spawn } from "node:child_process";

/** The checkout's root folder. */
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** Progress goes to stderr, so that `--json` output on stdout stays clean. @param {string} text */
export function say(text) {
  process.stderr.write(`moltworker: ${text}\n`);
}

/** @param {string} text @param {number} code @returns {never} */
export function fail(text, code) {
  say(text);
  process.exit(code);
}

/**
 * Runs a program, shows that it is still at work every ten seconds, and keeps its output for the
 * error message.
 *
 * @param {string} label
 * @param {string} program
 * @param {string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv}} [options]
 * @returns {Promise<{ok: boolean, output: string}>}
 */
export function runWithProgress(label, program, args, options = {}) {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  say(`${label} …`);
  const ticker = setInterval(() => say(`${label} … ${seconds()} s`), 10_000);
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      ...options,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const keep = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk.toString()).slice(-8000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error) => {
      clearInterval(ticker);
      resolve({ ok: false, output: error.message });
    });
    child.on("close", (code) => {
      clearInterval(ticker);
      if (code === 0) say(`${label}: done in ${seconds()} s`);
      resolve({ ok: code === 0, output });
    });
  });
}
