/**
 * Answers every request that the sandbox sends out. Fails closed: what no rule allows is refused.
 *
 * Which agent and which start it is comes from `props`, bound by the Durable Object when it
 * registered the interceptor; nothing the sandbox sends can change that.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { ChannelId } from "../../protocol/channels.ts";
import {
  CDP_HOST_HEADER,
  CHANNEL_SOCKET_HEADER,
  INTERNAL_HOSTS,
  type InternalHost,
} from "../../protocol/names.ts";
import { platformFor } from "../channels/access.ts";
import type { PlatformAccess } from "../channels/platform-access.ts";
import { answerModelCall } from "../ai/gateway.ts";
import { keysOf } from "../backups/cipher.ts";
import { answerBackupCall } from "../backups/host.ts";
import { answerCdp } from "../browser/cdp.ts";
import { configOf, secretsOf, type Config } from "../config.ts";
import type { Env } from "../env.ts";
import { createLogger } from "../logger.ts";
import { redactor } from "../redaction.ts";
import { answerReport } from "./control.ts";
import { holdOf } from "./held.ts";
import { decide, type Decision } from "./policy.ts";
import { createRefusalCounter, type RefusalCounter } from "./refusals.ts";

export interface OutboundProps {
  agentId: string;
  startGeneration: number;
}

const counters = new Map<string, RefusalCounter>();
/** When the Durable Object was last told that a message left, by agent, channel and outcome. */
const spoken = new Map<string, number>();
const SPOKEN_EVERY_MS = 5_000;

export class Outbound extends WorkerEntrypoint<Env, OutboundProps> {
  private readonly reach: typeof fetch = (input, init) =>
    (this.env.INTERNET ?? globalThis).fetch(input, init);

  override async fetch(request: Request): Promise<Response> {
    const parsed = configOf(this.env);
    if (!parsed.ok) return plain(503, "The Worker's configuration has to be mended first.");
    const url = new URL(request.url);
    const platform = platformFor(url, parsed.config.channels);
    const decision = decide(url, parsed.config.egressAllow);
    const held = platform !== undefined || leaves(decision) ? await this.refuseHeld() : undefined;
    if (held !== undefined) return held;
    if (platform !== undefined) return this.answerPlatform(request, url, platform, parsed.config);
    switch (decision.to) {
      case "internal":
        return this.answerInternal(request, decision.host, parsed.config);
      case "internet":
        return this.passOn(request, decision.host, parsed.config);
      case "nowhere":
        return this.refuse(decision);
    }
  }

  private async answerInternal(
    request: Request,
    host: InternalHost,
    config: Config,
  ): Promise<Response> {
    const { agentId, startGeneration } = this.ctx.props;
    switch (host) {
      case INTERNAL_HOSTS.ai:
        return answerModelCall(request, {
          config: config.models,
          hold: { ask: () => this.refuseHeld(), refusal: refusedByPanic },
          agentId,
          startGeneration,
          spend: this.env.AGENT.getByName(agentId).spend,
          waitUntil: (work) => this.ctx.waitUntil(work),
          fetch: this.reach,
          log: createLogger(secretsOf(config)),
          redact: redactor(secretsOf(config)),
        });
      case INTERNAL_HOSTS.control:
        return answerReport(request, this.env.AGENT.getByName(agentId));
      case INTERNAL_HOSTS.backup:
        return answerBackupCall(request, {
          startGeneration,
          bucket: this.env.BACKUPS,
          keys: () => keysOf(config),
          agent: this.env.AGENT.getByName(agentId),
          ofLength: (bytes) => new FixedLengthStream(bytes),
        });
      case INTERNAL_HOSTS.browser:
        return answerCdp({
          request,
          path: new URL(request.url).pathname,
          root: `ws://${clientHost(request) ?? host}`,
          caller: { holder: "agent", from: "", startGeneration },
          browser: this.env.AGENT.getByName(agentId).browser,
          binding: this.env.BROWSER,
          waitUntil: (work) => this.ctx.waitUntil(work),
        });
    }
  }

  private async answerPlatform(
    request: Request,
    { hostname }: URL,
    platform: PlatformAccess,
    config: Config,
  ): Promise<Response> {
    const { channel, sockets, writes } = platform;
    const written = channel !== undefined && writes?.(request) === true;
    try {
      if (channel !== undefined && isUpgrade(request) && sockets?.includes(hostname) === true) {
        return await this.openSocket(request, channel);
      }
      const answer = await platform.answer(request, this.reach);
      if (written) {
        // A copy: the agent does not wait for it to be read.
        const refused = platform.refused?.(answer.clone());
        this.ctx.waitUntil(this.tellSpoken(channel, answer, refused));
      }
      return answer;
    } catch (error) {
      createLogger(secretsOf(config)).warn("platform call failed", {
        host: hostname,
        error: String(error),
      });
      return plain(502, `${hostname} could not be reached.`);
    }
  }

  /** Which agent and which start it is for comes from here and not from the request. */
  private openSocket({ url }: Request, channel: ChannelId): Promise<Response> {
    const { agentId, startGeneration } = this.ctx.props;
    const headers = {
      upgrade: "websocket",
      [CHANNEL_SOCKET_HEADER]: `${channel} ${startGeneration}`,
    };
    return this.env.AGENT.getByName(agentId).fetch(new Request(url, { headers }));
  }

  /** Not each message of a busy agent: the admin page asks when the last one left, give or take. */
  private async tellSpoken(
    channel: ChannelId,
    { ok, status }: Response,
    refused: Promise<string | undefined> | undefined,
  ): Promise<void> {
    const { agentId } = this.ctx.props;
    const said = await refused;
    const why = ok ? said : (said ?? String(status));
    const key = `${agentId} ${channel} ${why === undefined}`;
    const now = Date.now();
    if (now - (spoken.get(key) ?? 0) < SPOKEN_EVERY_MS) return;
    spoken.set(key, now);
    const problem =
      why === undefined ? undefined : `${channel} answered ${why} to a message of the agent.`;
    await this.env.AGENT.getByName(agentId).channels.spoke(channel, problem);
  }

  private async passOn(request: Request, host: string, config: Config): Promise<Response> {
    try {
      // The sandbox follows redirects itself, so that each new host is decided on as well.
      return await this.reach(new Request(request, { redirect: "manual" }));
    } catch (error) {
      createLogger(secretsOf(config)).warn("egress failed", { host, error: String(error) });
      return plain(502, `${host} could not be reached.`);
    }
  }

  /** A refusal while the panic button holds the agent. */
  private async refuseHeld(): Promise<Response | undefined> {
    const { agentId } = this.ctx.props;
    switch (await holdOf(agentId, this.env.AGENT.getByName(agentId).egress, Date.now())) {
      case "open":
        return undefined;
      case "held":
        return refusedByPanic();
      case "unknown":
        return plain(503, "The agent did not say whether anything may leave. Try again.");
    }
  }

  private refuse({ host, reason }: Extract<Decision, { to: "nowhere" }>): Response {
    const { agentId } = this.ctx.props;
    if (reason === "not-a-host")
      return plain(403, "That is not an address this sandbox may reach.");
    const counter = counters.get(agentId) ?? createRefusalCounter();
    counters.set(agentId, counter);
    if (counter.count(host)) this.ctx.waitUntil(this.flush(counter, agentId));
    return plain(
      403,
      `The sandbox may not reach ${host}. To allow it, add ${host} to EGRESS_ALLOW in the settings of this moltworker and start it again. (沙箱不能访问 ${host}：如需允许，请把它加入 EGRESS_ALLOW。)`,
    );
  }

  private async flush(counter: RefusalCounter, agentId: string): Promise<void> {
    await scheduler.wait(counter.flushMs);
    const { egress } = this.env.AGENT.getByName(agentId);
    await Promise.all(counter.take().map(([host, times]) => egress.countRefused(host, times)));
  }
}

/**
 * The supervisor's own calls are not among it: those the Durable Object answers for a live start alone.
 * Nor are model calls, whose room asks by itself, most of them with the reservation that they need anyway.
 */
function leaves(decision: Decision): boolean {
  if (decision.to !== "internal") return decision.to === "internet";
  return decision.host === INTERNAL_HOSTS.browser;
}

function refusedByPanic(): Response {
  return plain(403, "Everything is held shut by the panic button.");
}

/** The address by which a program in the sandbox reached the supervisor's relay, if it came that way. */
function clientHost({ headers }: Request): string | undefined {
  const host = headers.get(CDP_HOST_HEADER);
  return host !== null && /^[\w.-]{1,253}(:\d{1,5})?$/.test(host) ? host : undefined;
}

function isUpgrade({ headers }: Request): boolean {
  return headers.get("upgrade")?.toLowerCase() === "websocket";
}

function plain(status: number, text: string): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { "Content-Type": "text/plain; charset=utf-8", "X-Moltworker-Egress": "refused" },
  });
}
