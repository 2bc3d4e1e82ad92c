import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { endMarked, newMark } from "./marked-processes.ts";

async function sleeper(env: Record<string, string>) {
  const child = spawn("/bin/sleep", ["600"], { env, stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  return { child, ended: once(child, "exit") };
}

test("what was started with the mark is ended, also when it is stopped, and nothing else", async () => {
  const mark = newMark();
  const stopped = await sleeper({ ...mark });
  stopped.child.kill("SIGSTOP");
  const [running, other, none] = [
    await sleeper({ A: "b", ...mark }),
    await sleeper({ ...newMark() }),
    await sleeper({}),
  ];
  expect(await endMarked(mark)).toBe(2);
  expect(await stopped.ended).toEqual([null, "SIGKILL"]);
  expect(await running.ended).toEqual([null, "SIGKILL"]);
  expect([other.child.signalCode, none.child.signalCode]).toEqual([null, null]);
  expect([other, none].map(({ child }) => child.kill(0))).toEqual([true, true]);
  expect(await endMarked(mark)).toBe(0);
});
