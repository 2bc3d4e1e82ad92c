// `npm run check`: types, lint, format, unused code. Every stage runs, so one run shows all there is.
import { runStage } from "./stages.mjs";

const STAGES = /** @type {const} */ ([
  ["types: worker", ["tsc", "-p", "tsconfig.worker.json"]],
  ["types: node", ["tsc", "-p", "tsconfig.node.json"]],
  ["types: page", ["tsc", "-p", "tsconfig.page.json"]],
  ["lint", ["oxlint"]],
  ["format", ["oxfmt", "--check", "."]],
  ["unused code", ["knip"]],
]);

let failed = 0;
for (const [name, command] of STAGES) if (!(await runStage(name, [...command]))) failed += 1;
process.exit(failed === 0 ? 0 : 1);
