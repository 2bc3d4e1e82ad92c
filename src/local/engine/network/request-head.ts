/** Reads the host out of the first HTTP/1 request of a connection (RFC 9112 §3.2). */

export type RequestHead = { kind: "incomplete" } | { kind: "complete"; host?: string };

const LONGEST_HEAD = 64 * 1024;

function hostOf(head: string): string | undefined {
  const [requestLine = "", ...fields] = head.split("\r\n");
  const absolute = /^[A-Z]+ http:\/\/([^/\s]+)/i.exec(requestLine)?.[1];
  const field = fields.find((line) => /^host:/i.test(line))?.slice(5);
  const authority = (absolute ?? field ?? "").trim();
  const name = /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(authority)?.[1]?.toLowerCase();
  return name === undefined || name === "" ? undefined : name;
}

/** Decides on the first bytes of a connection; `incomplete` asks for more of them. */
export function readRequestHead(bytes: Buffer): RequestHead {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return bytes.length < LONGEST_HEAD ? { kind: "incomplete" } : { kind: "complete" };
  const host = hostOf(bytes.toString("latin1", 0, end));
  return host === undefined ? { kind: "complete" } : { kind: "complete", host };
}
