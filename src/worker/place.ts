/** What the Worker makes of its configuration once, for every request after. */
import { DEFAULT_AGENT_ID } from "../protocol/names.ts";
import { createFailureLimiter, type FailureLimiter } from "./access/failures.ts";
import { createGate, type Gate } from "./access/gate.ts";
import { createPairingCodes, type PairingCodes } from "./apps/code.ts";
import { createCdpDoor, type CdpDoor } from "./browser/door.ts";
import { secretsOf, type Config } from "./config.ts";
import { createLogger, type Logger } from "./logger.ts";

export interface Place {
  config: Config;
  gate: Gate;
  cdp: CdpDoor;
  codes: PairingCodes;
  codeFailures: FailureLimiter;
  log: Logger;
}

const places = new WeakMap<Config, Place>();

export function placeOf(config: Config): Place {
  let place = places.get(config);
  if (place === undefined) {
    const tokens = [config.gatewayToken, ...config.previousGatewayTokens];
    place = {
      config,
      gate: createGate(config),
      cdp: createCdpDoor(config.browser),
      codes: createPairingCodes(tokens, DEFAULT_AGENT_ID),
      codeFailures: createFailureLimiter(),
      log: createLogger(secretsOf(config)),
    };
    places.set(config, place);
  }
  return place;
}
