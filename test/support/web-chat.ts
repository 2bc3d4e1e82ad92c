/** The web chat's connection: through the door, from a device that is let in. */
import { z } from "zod";
import { mustConnect, type createDevice, type GatewayClient } from "./gateway-client.ts";
import type { RunningSystem } from "./running-system.ts";

const session = z.object({ gatewayToken: z.string() });

/** Asks to be let in and is, where the device was not before. */
export async function openWebChat(
  system: RunningSystem,
  device: ReturnType<typeof createDevice>,
  deadlineMs: number,
): Promise<GatewayClient> {
  const headers = { Authorization: `Bearer ${system.token}` };
  const reply = await fetch(new URL("/_moltworker/session", system.url), { headers });
  const { gatewayToken } = session.parse(await reply.json());
  const connection = {
    url: `${system.url.replace("http", "ws")}/ws`,
    ...{ device, headers, token: gatewayToken, deadlineMs },
  };
  const { paired } = await system.devices();
  if (!paired.some(({ deviceId }) => deviceId === device.id)) {
    await mustConnect(connection).catch(() => undefined);
    await system.admin(`/api/devices/${device.id}/approve`, { body: {} });
  }
  return mustConnect(connection);
}
