import { expect, test } from "vitest";
import { reloadFor } from "./watch.ts";

const none = { worker: false, supervisor: false, process: false };

test.each([
  ["worker/app.ts", { ...none, worker: true }],
  ["local/worker.ts", { ...none, worker: true }],
  ["local/admin-login/verifier.ts", { ...none, worker: true }],
  ["supervisor/main.ts", { ...none, supervisor: true }],
  ["protocol/boot.ts", { worker: true, supervisor: true, process: false }],
  ["local/engine/engine.ts", { ...none, process: true }],
  ["worker/config.test.ts", none],
  ["worker/notes.md~", none],
])("a change of %s reloads only what it is part of", (file, reload) => {
  expect(reloadFor([file])).toEqual(reload);
});
