/**
 * A workspace and what the Web API does to it: https://docs.slack.dev/reference/methods. Only what a
 * bot with the scopes of `docs/slack.md` calls; any other method is `unknown_method`, as at Slack.
 */
import { z } from "zod";
import { structured, type SlackCall } from "./slack-call.ts";

export const TEAM = "T0EMULATED";
export const APP = "A0EMULATED";
export const BOT = "U0THEBOT";
export const BOT_ID = "B0THEBOT";

export interface Posted {
  channel: string;
  ts: string;
  user: string;
  text: string;
  thread_ts?: string;
  files?: string[];
}

export interface StoredFile {
  id: string;
  name: string;
  content: Uint8Array;
  /** False until the upload is completed. */
  shared: boolean;
}

export interface Workspace {
  messages: Posted[];
  reactions: Set<string>;
  files: Map<string, StoredFile>;
  /** Where files and answers live. */
  origin: { files: string; hooks: string };
  nextTs(): string;
  post(message: Omit<Posted, "ts" | "user">, user?: string): Posted;
  fileView(file: StoredFile): object;
}

type Params = SlackCall["params"];
type Answer = Record<string, unknown>;

export function createWorkspace(
  origin: Workspace["origin"],
  posted: (one: Posted) => void,
): Workspace {
  let count = 0;
  const workspace: Workspace = {
    messages: [],
    reactions: new Set(),
    files: new Map(),
    origin,
    nextTs() {
      count += 1;
      return `${Math.floor(Date.now() / 1000)}.${String(count).padStart(6, "0")}`;
    },
    post(message, user = BOT) {
      const one = { ...message, user, ts: workspace.nextTs() };
      workspace.messages.push(one);
      posted(one);
      return one;
    },
    fileView: ({ id, name, content }) => ({
      id,
      name,
      title: name,
      mimetype: name.endsWith(".png") ? "image/png" : "application/octet-stream",
      filetype: name.split(".").at(-1),
      size: content.length,
      url_private: `${origin.files}/files-pri/${TEAM}-${id}/${name}`,
      url_private_download: `${origin.files}/files-pri/${TEAM}-${id}/download/${name}`,
    }),
  };
  return workspace;
}

export function directChannel(user: string): string {
  return `D${user.slice(1)}`;
}

const ok = (fields: Answer = {}): Answer => ({ ok: true, ...fields });
const failed = (error: string): Answer => ({ ok: false, error });
const text = (value: unknown): string => (typeof value === "string" ? value : "");

export function execute(workspace: Workspace, { method, params }: SlackCall): Answer {
  return METHODS[method]?.(params, workspace) ?? failed("unknown_method");
}

const METHODS: Record<string, (params: Params, workspace: Workspace) => Answer> = {
  "api.test": (params) => ok({ args: params }),
  "auth.test": () =>
    ok({
      url: "https://emulated.slack.com/",
      team: "Emulated",
      user: "agent",
      team_id: TEAM,
      user_id: BOT,
      bot_id: BOT_ID,
      is_enterprise_install: false,
    }),
  "auth.revoke": () => ok({ revoked: true }),
  "bots.info": () => ok({ bot: { id: BOT_ID, app_id: APP, user_id: BOT, name: "agent" } }),
  "users.info": ({ user }) => ok({ user: person(text(user)) }),
  "users.list": () => ok({ members: [] }),
  "usergroups.list": () => ok({ usergroups: [] }),
  "team.info": () => ok({ team: { id: TEAM, name: "Emulated", domain: "emulated" } }),
  "emoji.list": () => ok({ emoji: {} }),
  "conversations.info": ({ channel }) => ok({ channel: place(text(channel)) }),
  "conversations.list": () => ok({ channels: [] }),
  "conversations.members": () => ok({ members: [BOT] }),
  "conversations.open": ({ users }) => ok({ channel: { id: directChannel(text(users)) } }),
  "conversations.history": ({ channel, limit }, { messages }) =>
    ok({
      messages: messages
        .filter((one) => one.channel === channel)
        .slice(-Number(limit ?? 100))
        .toReversed(),
      has_more: false,
    }),
  "conversations.replies": ({ channel, ts }, { messages }) =>
    ok({
      messages: messages.filter(
        (one) => one.channel === channel && (one.ts === ts || one.thread_ts === ts),
      ),
      has_more: false,
    }),
  "chat.postMessage": postMessage,
  "chat.postEphemeral": () => ok({ message_ts: "1.000001" }),
  "chat.update": (params, { messages }) => {
    const found = messages.find(
      ({ channel, ts }) => channel === params["channel"] && ts === params["ts"],
    );
    if (found === undefined) return failed("message_not_found");
    found.text = text(params["text"]) || found.text;
    return ok({ channel: found.channel, ts: found.ts, text: found.text });
  },
  "chat.delete": ({ channel, ts }, { messages }) => {
    const at = messages.findIndex((one) => one.channel === channel && one.ts === ts);
    if (at === -1) return failed("message_not_found");
    messages.splice(at, 1);
    return ok({ channel, ts });
  },
  "reactions.add": (params, { reactions, messages }) => {
    const key = reactionOf(params);
    if (!messages.some(({ ts }) => ts === params["timestamp"])) return failed("message_not_found");
    if (reactions.has(key)) return failed("already_reacted");
    reactions.add(key);
    return ok();
  },
  "reactions.remove": (params, { reactions }) =>
    reactions.delete(reactionOf(params)) ? ok() : failed("no_reaction"),
  "assistant.threads.setStatus": () => ok(),
  "assistant.threads.setTitle": () => ok(),
  "assistant.threads.setSuggestedPrompts": () => ok(),
  "views.publish": () => ok({ view: { id: "V1" } }),
  "views.open": () => ok({ view: { id: "V1" } }),
  "files.info": ({ file }, workspace) => {
    const found = workspace.files.get(text(file));
    return found === undefined ? failed("file_not_found") : ok({ file: workspace.fileView(found) });
  },
  "files.getUploadURLExternal": ({ filename, length }, workspace) => {
    if (text(filename) === "" || Number(length) <= 0) return failed("invalid_arguments");
    const id = `F0UP${workspace.files.size + 1}`;
    workspace.files.set(id, { id, name: text(filename), content: new Uint8Array(), shared: false });
    return ok({ file_id: id, upload_url: `${workspace.origin.files}/upload/v1/${id}` });
  },
  "files.completeUploadExternal": completeUpload,
};

const uploads = z.array(z.object({ id: z.string(), title: z.string().optional() }));

function completeUpload(params: Params, workspace: Workspace): Answer {
  const listed = uploads.parse(structured(params["files"]));
  const files = listed.flatMap(({ id }) => workspace.files.get(id) ?? []);
  if (files.length < listed.length || files.some(({ content }) => content.length === 0)) {
    return failed("file_not_found");
  }
  for (const file of files) file.shared = true;
  const channel = text(params["channel_id"]);
  if (channel !== "") {
    const ids = files.map(({ id }) => id);
    workspace.post({ channel, text: text(params["initial_comment"]), files: ids });
  }
  return ok({ files: files.map((file) => workspace.fileView(file)) });
}

function postMessage(params: Params, workspace: Workspace): Answer {
  const given = text(params["channel"]);
  // A message to a person opens the conversation with them.
  const channel = given.startsWith("U") ? directChannel(given) : given;
  if (!/^[CDG]/.test(channel)) return failed("channel_not_found");
  if (text(params["text"]) === "" && params["blocks"] === undefined) return failed("no_text");
  const thread = text(params["thread_ts"]);
  const one = workspace.post({
    channel,
    text: text(params["text"]),
    ...(thread === "" ? {} : { thread_ts: thread }),
  });
  return ok({ channel, ts: one.ts, message: { ...one, type: "message", bot_id: BOT_ID } });
}

function reactionOf({ channel, timestamp, name }: Params): string {
  return `${text(channel)} ${text(timestamp)} ${text(name)}`;
}

function person(id: string) {
  const name = id === BOT ? "agent" : id.slice(2).toLowerCase();
  return {
    ...{ id, name, team_id: TEAM, real_name: name, is_bot: id === BOT, deleted: false },
    profile: { display_name: name, real_name: name },
  };
}

function place(id: string) {
  return id.startsWith("D")
    ? { id, is_im: true, user: `U${id.slice(1)}` }
    : { id, is_channel: true, is_member: true, name: id.toLowerCase(), context_team_id: TEAM };
}
