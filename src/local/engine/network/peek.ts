import type { Socket } from "node:net";

/**
 * Reads from the start of a connection until `decide` has an answer, and puts everything back.
 * Undefined when the client ended, failed, or stayed silent for `deadlineMs`.
 */
export function peek<T extends { kind: string }>(
  socket: Socket,
  decide: (bytes: Buffer) => T,
  deadlineMs: number,
): Promise<Exclude<T, { kind: "incomplete" }> | undefined> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    const done = (value: T | undefined): void => {
      clearTimeout(timer);
      socket.off("readable", more).off("end", lost).off("error", lost).off("close", lost);
      if (bytes.length > 0 && !socket.destroyed) socket.unshift(bytes);
      resolve(isDecided(value) ? value : undefined);
    };
    const lost = (): void => done(undefined);
    const more = (): void => {
      const chunk: unknown = socket.read();
      if (!Buffer.isBuffer(chunk)) return;
      bytes = Buffer.concat([bytes, chunk]);
      const value = decide(bytes);
      if (value.kind !== "incomplete") done(value);
    };
    const timer = setTimeout(lost, deadlineMs);
    socket.on("readable", more).once("end", lost).once("error", lost).once("close", lost);
  });
}

function isDecided<T extends { kind: string }>(
  value: T | undefined,
): value is Exclude<T, { kind: "incomplete" }> {
  return value !== undefined && value.kind !== "incomplete";
}
