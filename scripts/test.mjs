// `npm test`: check, build, unit, integration, e2e. The closing line sums what the test runner counted.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { runStage } from "./stages.mjs";

const reports = mkdtempSync(path.join(os.tmpdir(), "moltworker-test-"));
const started = performance.now();
const only = process.argv.slice(2);
let passed = 0;
let failed = 0;
let skipped = 0;

/** @param {string[]} projects which share the machine */
async function vitest(projects) {
  if (projects.length === 0) return;
  const name = projects.join(" and ");
  const file = path.join(reports, `${projects.join("-")}.json`);
  const ok = await runStage(
    `tests: ${name}`,
    [
      "vitest",
      "run",
      ...projects.flatMap((project) => ["--project", project]),
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${file}`,
    ],
    { live: true },
  );
  try {
    const report = JSON.parse(readFileSync(file, "utf8"));
    passed += report.numPassedTests;
    failed += report.numFailedTests;
    skipped += report.numPendingTests + report.numTodoTests;
    if (!ok && report.numFailedTests === 0) failed += 1;
  } catch {
    failed += 1;
  }
}

/** @param {string} stage */
const wanted = (stage) => only.length === 0 || only.includes(stage);
if (wanted("check") && !(await runStage("check", ["node", "scripts/check.mjs"], { live: true })))
  failed += 1;
if (!(await runStage("build", ["node", "src/cli/main.ts", "build"]))) failed += 1;
await vitest(["unit"].filter(wanted));
await vitest(["integration", "e2e"].filter(wanted));

rmSync(reports, { recursive: true, force: true });
process.stdout.write(`all stages: ${Math.round((performance.now() - started) / 1000)} s\n`);
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
// A run of tests that found none is none.
const tested = only.length === 0 || only.some((stage) => stage !== "check");
process.exit(failed === 0 && (passed > 0 || !tested) ? 0 : 1);
