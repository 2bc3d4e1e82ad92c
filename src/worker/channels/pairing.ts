/**
 * Direct-message pairing: the gateway keeps the requests, an admin answers them, and who was let in
 * is recorded here, where the agent cannot write. Fails closed: an approval counts only when the
 * gateway confirmed it and named the sender, or when its answer was lost and the request is gone.
 */
import * as z from "zod";
import type { ChannelsView, PairingRequest } from "../../protocol/admin-channels.ts";
import { CHANNEL_IDS, type ChannelId } from "../../protocol/channels.ts";
import type { RpcRequest } from "../../protocol/control.ts";
import type { Done } from "../done.ts";
import type { Approving, ApprovalsUnderWay } from "./approving.ts";
import type { Senders } from "./store/senders.ts";

export type GatewayCall = (
  request: RpcRequest,
) => Promise<{ ok: true; value: unknown } | { ok: false; reason: string; code?: string }>;

/** The gateway's own word that it did nothing: its other errors may come of a connection that was lost. */
const NOT_DONE = "INVALID_REQUEST";

/** The gateway's answer to `channels.pairing.list`, as far as it is used here. */
const pairingList = z.object({
  requests: z.array(
    z.object({
      requestId: z.string(),
      channel: z.string(),
      accountId: z.string(),
      senderId: z.string(),
      metadata: z.record(z.string(), z.unknown()).optional(),
      createdAt: z.string().optional(),
      expiresAt: z.string().optional(),
    }),
  ),
});
type Listed = z.infer<typeof pairingList>["requests"][number] & { channel: ChannelId };

const approval = z.object({ senderId: z.string() });

export class Pairing {
  readonly #call: GatewayCall;
  readonly #senders: Senders;
  readonly #underWay: ApprovalsUnderWay;
  readonly #now: () => number;
  /** Approvals whose answer this object still waits for. */
  #asking = 0;

  constructor(call: GatewayCall, senders: Senders, underWay: ApprovalsUnderWay, now: () => number) {
    this.#call = call;
    this.#senders = senders;
    this.#underWay = underWay;
    this.#now = now;
  }

  async list(ready: boolean): Promise<ChannelsView["pairing"]> {
    if (!ready) return { known: false, reason: "The agent is not awake." };
    const listed = await this.#list();
    if (!listed.ok) return { known: false, reason: listed.reason };
    return { known: true, requests: listed.requests.map(viewOf) };
  }

  async approve(channel: ChannelId, requestId: string, by: string): Promise<Done> {
    const request = await this.#find(channel, requestId);
    if (!request.ok) return request;
    const { accountId, senderId, metadata } = request.found;
    const name = nameIn(metadata);
    const named = name === undefined ? {} : { name };
    const approving = { channel, requestId, id: senderId, ...named, approvedBy: by };
    this.#underWay.begin(approving);
    this.#asking += 1;
    const reply = await this.#call({
      method: "channels.pairing.approve",
      params: { channel, accountId, requestId, notify: true },
    }).finally(() => (this.#asking -= 1));
    if (!reply.ok) {
      // Else whether it was done is seen with the next list.
      if (reply.code === NOT_DONE) this.#underWay.end(approving);
      return { ok: false, reason: reply.reason };
    }
    const approved = approval.safeParse(reply.value);
    if (approved.success && approved.data.senderId === senderId) return this.#record(approving);
    this.#underWay.end(approving);
    return { ok: false, reason: "The gateway did not say whom it let in." };
  }

  async dismiss(channel: ChannelId, requestId: string): Promise<Done> {
    const request = await this.#find(channel, requestId);
    if (!request.ok) return request;
    const { accountId } = request.found;
    const reply = await this.#call({
      method: "channels.pairing.dismiss",
      params: { channel, accountId, requestId },
    });
    return reply.ok ? { ok: true } : { ok: false, reason: reply.reason };
  }

  /** Counts for more than an approval before it whose answer was lost. */
  bar(channel: ChannelId, id: string, barred: boolean): Done {
    if (!this.#senders.bar(channel, id, barred)) {
      return { ok: false, reason: "Nobody of that id was let in." };
    }
    const lost = this.#underWay.all().find((one) => one.channel === channel && one.id === id);
    if (lost !== undefined) this.#underWay.end(lost);
    return { ok: true };
  }

  #record(approving: Approving): Done {
    const { channel, id, name, approvedBy } = approving;
    this.#underWay.end(approving);
    const named = name === undefined ? {} : { name };
    const approvedAt = this.#now();
    const recorded = this.#senders.approve({ channel, id, ...named, approvedAt, approvedBy });
    return recorded ? { ok: true } : { ok: false, reason: "Too many people are let in already." };
  }

  /** What became of approvals whose answer was lost: a request that still waits was not answered. */
  #settle(requests: readonly Listed[], underWay: readonly Approving[]): void {
    for (const approving of underWay) {
      const { channel, requestId } = approving;
      const waits = requests.some((one) => one.channel === channel && one.requestId === requestId);
      if (waits) this.#underWay.end(approving);
      else this.#record(approving);
    }
  }

  async #find(
    channel: ChannelId,
    requestId: string,
  ): Promise<{ ok: true; found: Listed } | { ok: false; reason: string }> {
    const listed = await this.#list();
    if (!listed.ok) return listed;
    const found = listed.requests.find(
      (request) => request.channel === channel && request.requestId === requestId,
    );
    return found === undefined
      ? { ok: false, reason: "That request is over. Ask the sender to write again." }
      : { ok: true, found };
  }

  async #list(): Promise<{ ok: true; requests: Listed[] } | { ok: false; reason: string }> {
    const underWay = this.#asking > 0 ? [] : this.#underWay.all();
    const reply = await this.#call({ method: "channels.pairing.list", params: {} });
    if (!reply.ok) return reply;
    const parsed = pairingList.safeParse(reply.value);
    if (!parsed.success) {
      return { ok: false, reason: "The gateway's list of requests is not understood." };
    }
    const requests = parsed.data.requests.flatMap((request) => {
      const channel = CHANNEL_IDS.find((id) => id === request.channel);
      return channel === undefined ? [] : [{ ...request, channel }];
    });
    this.#settle(requests, underWay);
    return { ok: true, requests };
  }
}

function viewOf({
  requestId,
  channel,
  senderId,
  metadata,
  createdAt,
  expiresAt,
}: Listed): PairingRequest {
  const name = nameIn(metadata);
  return {
    ...{ requestId, channel, senderId },
    ...(name === undefined ? {} : { name }),
    ...momentOf("createdAt", createdAt),
    ...momentOf("expiresAt", expiresAt),
  };
}

function momentOf(name: string, text: string | undefined): Record<string, number> {
  const at = Date.parse(text ?? "");
  return Number.isNaN(at) ? {} : { [name]: at };
}

/** The platforms' own names for a person, the most telling first. */
function nameIn(metadata: Record<string, unknown> | undefined): string | undefined {
  const parts = ["firstName", "lastName"].map((key) => metadata?.[key]);
  const full = parts.filter((part) => typeof part === "string" && part !== "").join(" ");
  const username = metadata?.["username"] ?? metadata?.["name"] ?? metadata?.["tag"];
  if (full !== "") return full.slice(0, 80);
  return typeof username === "string" && username !== "" ? username.slice(0, 80) : undefined;
}
