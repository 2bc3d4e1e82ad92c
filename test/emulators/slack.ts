/**
 * Slack on loopback: the Web API (`slack-workspace.ts`), events and Socket Mode (`slack-events.ts`),
 * and files (https://docs.slack.dev/messaging/working-with-files#uploading_files). As at Slack the bot
 * is also told what it says itself, and a mention in a channel comes as two events.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { bodyOf, callOf, fileOf, type SlackCall } from "./slack-call.ts";
import { postAll, Sockets, type Attempt, type Happening } from "./slack-events.ts";
import {
  APP,
  BOT,
  BOT_ID,
  createWorkspace,
  directChannel,
  execute,
  TEAM,
  type Posted,
  type StoredFile,
} from "./slack-workspace.ts";

export const BOT_TOKEN = "xoxb-1000000001-2000000002-emulatedBotToken0123456";
export const APP_TOKEN = "xapp-1-A0EMULATED-3000000003-emulatedapptoken0123456789";
export const SIGNING_SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

export interface SlackEmulator {
  apiUrl: string;
  /** Everything the app called, oldest first. */
  calls: SlackCall[];
  /** Where events are posted to; undefined for Socket Mode. */
  requestUrl: string | undefined;
  /** Named as the address for sockets, instead of the emulator's own. */
  socketsAt: string | undefined;
  readonly sockets: Sockets;
  attempts: Attempt[];
  /** What was posted to the addresses for answers. */
  answers: { path: string; body: string }[];
  messages: Posted[];
  reactions: Set<string>;
  /** Files that the bot or a person uploaded. */
  files: Map<string, StoredFile>;
  upload(content: Uint8Array, name: string): object;
  /** An event in its envelope; the answer is its `event_id`. */
  send(event: Record<string, unknown>, id?: string): string;
  /** A direct message; the answer is its `ts`. */
  write(user: string, text: string, more?: Record<string, unknown>): string;
  /** In a channel: comes as `app_mention` and as `message` when it mentions the bot. */
  speak(user: string, channel: string, text: string, more?: Record<string, unknown>): string;
  command(user: string, text: string): Promise<void>;
  interact(payload: Record<string, unknown>): Promise<void>;
  /** Texts that the bot sent to a channel, in their last edited form. */
  texts(channel: string): string[];
  until<T>(what: string, found: () => T | undefined, deadlineMs?: number): Promise<T>;
  close(): Promise<void>;
}

export interface SlackOptions {
  /** Files and answers at Slack's own hosts, as it names them, or at the emulator itself. */
  hosts?: "slack" | "loopback";
}

export async function startSlack({ hosts = "slack" }: SlackOptions = {}): Promise<SlackEmulator> {
  const sockets = new Sockets();
  const tickets = new Set<string>();
  let closed = false;
  let count = 0;
  const next = (prefix: string) => `${prefix}${String((count += 1)).padStart(8, "0")}`;
  const server = http.createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const own = `http://127.0.0.1:${port}`;
  const origin =
    hosts === "slack"
      ? { files: "https://files.slack.com", hooks: "https://hooks.slack.com" }
      : { files: own, hooks: own };
  const workspace = createWorkspace(origin, (one) => {
    if (one.user !== BOT) return;
    emulator.send({ type: "message", ...placed(one), bot_id: BOT_ID, app_id: APP });
  });

  const emulator: SlackEmulator = {
    apiUrl: `${own}/api`,
    calls: [],
    requestUrl: undefined,
    socketsAt: undefined,
    sockets,
    attempts: [],
    answers: [],
    messages: workspace.messages,
    reactions: workspace.reactions,
    files: workspace.files,
    upload(content, name) {
      const file = { id: next("F0"), name, content, shared: true };
      workspace.files.set(file.id, file);
      return workspace.fileView(file);
    },
    send(event, id = next("Ev0")) {
      const payload = {
        token: "the-old-verification-token",
        team_id: TEAM,
        api_app_id: APP,
        type: "event_callback",
        event_id: id,
        event_time: Math.floor(Date.now() / 1000),
        authorizations: [
          {
            enterprise_id: null,
            team_id: TEAM,
            user_id: BOT,
            is_bot: true,
            is_enterprise_install: false,
          },
        ],
        is_ext_shared_channel: false,
        event,
      };
      void deliver({ type: "events_api", id, payload });
      return id;
    },
    write(user, text, more = {}) {
      const one = workspace.post({ channel: directChannel(user), text, ...more }, user);
      emulator.send({ type: "message", ...placed(one), ...more });
      return one.ts;
    },
    speak(user, channel, text, more = {}) {
      const one = workspace.post({ channel, text, ...more }, user);
      const event = { ...placed(one), ...more };
      emulator.send({ type: "message", ...event });
      if (text.includes(`<@${BOT}>`)) emulator.send({ type: "app_mention", ...event });
      return one.ts;
    },
    command: (user, text) =>
      deliver({
        type: "slash_commands",
        id: next("cmd"),
        payload: {
          ...{ token: "the-old-verification-token", team_id: TEAM, team_domain: "emulated" },
          ...{ channel_id: directChannel(user), channel_name: "directmessage", user_id: user },
          ...{ user_name: user.toLowerCase(), command: "/openclaw", text, api_app_id: APP },
          trigger_id: next("trigger."),
          response_url: `${origin.hooks}/commands/${TEAM}/1/${next("r")}`,
        },
      }),
    interact: (payload) =>
      deliver({
        type: "interactive",
        id: next("act"),
        payload: {
          ...{ token: "the-old-verification-token", team: { id: TEAM, domain: "emulated" } },
          ...{ api_app_id: APP, trigger_id: next("trigger."), ...payload },
        },
      }),
    texts: (channel) =>
      workspace.messages
        .filter((one) => one.channel === channel && one.user === BOT)
        .map(({ text }) => text),
    async until(what, found, deadlineMs = 30_000) {
      const end = Date.now() + deadlineMs;
      for (;;) {
        const value = found();
        if (value !== undefined) return value;
        if (Date.now() > end) {
          const methods = emulator.calls.slice(-20).map(({ method }) => method);
          throw new Error(
            `${what} never came; the app called ${methods.join(", ")}; last: ${JSON.stringify(workspace.messages.slice(-4))}, attempts ${JSON.stringify(emulator.attempts.slice(-4))}`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async close() {
      closed = true;
      sockets.cut();
      links.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function placed({ channel, user, text, ts, thread_ts: thread, files }: Posted) {
    const channelType = channel.startsWith("D") ? "im" : "channel";
    return {
      ...{ channel, user, text, ts, event_ts: ts, channel_type: channelType, team: TEAM },
      ...(thread === undefined ? {} : { thread_ts: thread }),
      ...(files === undefined ? {} : { subtype: "file_share" }),
    };
  }

  async function deliver(what: Happening): Promise<void> {
    const note = (attempt: Attempt) => void emulator.attempts.push(attempt);
    if (emulator.requestUrl === undefined) await sockets.send(what, note, () => closed);
    else await postAll(emulator.requestUrl, SIGNING_SECRET, what, note);
  }

  const links = new WebSocketServer({ server, path: "/link/" });
  links.on("connection", (socket, request) => {
    const ticket = new URL(request.url ?? "/", own).searchParams.get("ticket") ?? "";
    if (tickets.delete(ticket)) sockets.take(socket, APP);
    else socket.close(1008);
  });

  async function answer(
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", own);
    if (pathname.startsWith("/api/")) return api(await callOf(request, pathname), response);
    const bearer = request.headers.authorization;
    const [, read] = /^\/files-pri\/[^-]+-([^/]+)\//.exec(pathname) ?? [];
    if (read !== undefined) {
      const file = workspace.files.get(read);
      // Who is not logged in is sent to a page for people.
      if (bearer !== `Bearer ${BOT_TOKEN}`) {
        return void response.writeHead(302, { location: "https://emulated.slack.com/" }).end();
      }
      if (file === undefined) return void response.writeHead(404).end();
      response.writeHead(200, { "content-type": "image/png" });
      return void response.end(file.content);
    }
    const [, written] = /^\/upload\/v1\/(.+)$/.exec(pathname) ?? [];
    const file = written === undefined ? undefined : workspace.files.get(written);
    if (file !== undefined) {
      file.content = await fileOf(request);
      return void response.writeHead(200).end("OK");
    }
    if (pathname.startsWith("/commands/")) {
      emulator.answers.push({ path: pathname, body: (await bodyOf(request)).toString() });
      return void response.writeHead(200).end("ok");
    }
    response.writeHead(404).end();
  }

  function api(call: SlackCall, response: http.ServerResponse): void {
    emulator.calls.push(call);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(result(call)));
  }

  function result(call: SlackCall): object {
    const { method, token } = call;
    if (token === undefined) return { ok: false, error: "not_authed" };
    if (method === "apps.connections.open") {
      if (token !== APP_TOKEN) return { ok: false, error: "not_allowed_token_type" };
      const ticket = next("ticket");
      tickets.add(ticket);
      const link = `${own.replace("http", "ws")}/link/?ticket=${ticket}&app_id=${APP}`;
      return { ok: true, url: emulator.socketsAt ?? link };
    }
    if (token !== BOT_TOKEN) return { ok: false, error: "invalid_auth" };
    return execute(workspace, call);
  }

  return emulator;
}
