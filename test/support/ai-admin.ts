/** What the admin page asks of the spend room. */
import type { SpendCall, SpendOverview } from "../../src/protocol/spend.ts";
import type { AiRig } from "./ai-rig.ts";

type Reached = Pick<AiRig, "worker">;

export async function api(rig: Reached, method: string, path: string, body?: object) {
  return fetch(`${rig.worker.url}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
}

export async function spendOverviewOf(rig: Reached): Promise<SpendOverview> {
  return read<SpendOverview>(await api(rig, "GET", "/api/spend"));
}

/** Newest first. */
export async function callsOf(rig: Reached): Promise<SpendCall[]> {
  const { calls } = await read<{ calls: SpendCall[] }>(
    await api(rig, "GET", "/api/spend/calls?limit=1000"),
  );
  return calls;
}

/** The types of the protocol are what a client of the API relies on as well. */
async function read<T>(response: Response): Promise<T> {
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return response.json() as Promise<T>;
}
