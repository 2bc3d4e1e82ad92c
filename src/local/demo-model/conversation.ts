/** A conversation in the demo model's own terms, whatever wire format it came in. */
export type Turn =
  | { role: "user"; text: string; images: number }
  | { role: "assistant" }
  | { role: "tool"; text: string };

export interface Question {
  model: string;
  stream: boolean;
  turns: Turn[];
  /** Names of the tools that may be called. */
  tools: string[];
}

export type Reply = { kind: "text"; text: string } | { kind: "tool"; name: string; input: object };

/** Token counts; a token is taken as four bytes. */
export interface Usage {
  input: number;
  output: number;
}

export function usageOf(requestBytes: number, reply: Reply): Usage {
  const said = reply.kind === "text" ? reply.text : reply.name + JSON.stringify(reply.input);
  return { input: tokens(requestBytes), output: tokens(Buffer.byteLength(said)) };
}

function tokens(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 4));
}
