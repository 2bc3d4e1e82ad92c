/**
 * The boot document of each start, and the token in it by which a sandbox is told from every other.
 * Fails closed: what does not show the token of the present start is nobody.
 */
import type { BootDocument } from "../../protocol/boot.ts";
import { CONTROL_PROTOCOL } from "../../protocol/names.ts";
import { sameSecret } from "../access/token.ts";
import type { ParsedConfig } from "../config.ts";
import type { Budget } from "./budget.ts";
import { gatewayConfig } from "./gateway-config.ts";
import type { AgentSettings } from "./settings.ts";
import type { LifeStore, StoredLife } from "./store/life.ts";
import type { RecordStore } from "./store/records.ts";
import { newToken } from "./tokens.ts";

export interface BootParts {
  agentId: string;
  parsed: ParsedConfig;
  settings: AgentSettings;
  store: LifeStore;
  records: RecordStore;
  budget: Budget;
  /** A browser service is bound. */
  browser: boolean;
  /** What gateways of earlier starts took and may not have. */
  handedOver(): NonNullable<BootDocument["handedOver"]>;
  /** `provider/model` the agent is to be started with. */
  primaryModel(): string;
}

export class BootDocuments {
  readonly #parts: BootParts;
  /** The gateway's own, inside the sandbox. */
  readonly gatewayToken: string;
  #controlToken: string | undefined;

  constructor(
    parts: BootParts,
    { gatewayToken, controlToken }: Pick<StoredLife, "gatewayToken" | "controlToken">,
  ) {
    this.#parts = parts;
    this.gatewayToken = gatewayToken;
    this.#controlToken = controlToken;
  }

  /** Of the present start; undefined before the first. */
  get controlToken(): string | undefined {
    return this.#controlToken;
  }

  isControlToken(shown: string): Promise<boolean> {
    return sameSecret(shown, this.#controlToken ?? "");
  }

  /** Makes and stores the token of that start, too. */
  make(startGeneration: number): BootDocument {
    const { agentId, parsed, settings, store, records, budget, browser } = this.#parts;
    if (!parsed.ok) throw new Error("Nothing is started without a configuration.");
    const controlToken = newToken();
    this.#controlToken = controlToken;
    store.setControlToken(controlToken);
    const { config } = parsed;
    const handedOver = this.#parts.handedOver();
    return {
      protocol: CONTROL_PROTOCOL,
      agentId,
      startGeneration,
      controlToken,
      gatewayToken: this.gatewayToken,
      gatewayConfig: gatewayConfig({
        models: { ...config.models, primary: this.#parts.primaryModel() },
        workerOrigins: settings.origins,
        sleeps: settings.sleepAfter !== "never",
        browser: browser ? config.browser.hosts : undefined,
        channels: config.channels,
      }),
      approvedDevices: records.devices().map(({ deviceId }) => deviceId),
      ...(handedOver.length === 0 ? {} : { handedOver }),
      gatewayDeadlineMs: budget.gateway,
    };
  }
}
