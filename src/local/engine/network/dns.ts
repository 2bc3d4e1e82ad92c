/** The wire format of the few DNS messages a stub resolver needs (RFC 1035 §4). */

export type Question = { name: string; type: number; class: number };

export type Answer =
  | { kind: "address"; address: string }
  /** The name exists but has no record of the type asked for. */
  | { kind: "empty" }
  | { kind: "unknown-name" };

export const TYPE_A = 1;

const HEADER = 12;
const CLASS_INTERNET = 1;
/** Low, because an answer may change when interception rules do. */
const SECONDS_TO_LIVE = 5;

const NO_ERROR = 0;
const NAME_ERROR = 3;

/** The one question of a query, or undefined for anything a stub need not understand. */
export function readQuestion(query: Buffer): Question | undefined {
  if (query.length < HEADER || (query.readUInt16BE(2) & 0x8000) !== 0) return undefined;
  if (query.readUInt16BE(4) !== 1) return undefined;
  const labels: string[] = [];
  let at = HEADER;
  for (;;) {
    const length = query[at];
    if (length === undefined || length > 63) return undefined;
    at += 1;
    if (length === 0) break;
    if (at + length > query.length) return undefined;
    labels.push(query.toString("latin1", at, at + length));
    at += length;
  }
  if (at + 4 > query.length) return undefined;
  return {
    name: labels.join(".").toLowerCase(),
    type: query.readUInt16BE(at),
    class: query.readUInt16BE(at + 2),
  };
}

function questionBytes(question: Question): Buffer {
  const labels = question.name === "" ? [] : question.name.split(".");
  const parts = labels.map((label) => {
    const text = Buffer.from(label, "latin1");
    return Buffer.concat([Buffer.of(text.length), text]);
  });
  const tail = Buffer.alloc(5);
  tail.writeUInt16BE(question.type, 1);
  tail.writeUInt16BE(question.class, 3);
  return Buffer.concat([...parts, tail]);
}

/** The response to `query`, which asked `question`. */
export function writeResponse(query: Buffer, question: Question, answer: Answer): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  const recursionDesired = query.readUInt16BE(2) & 0x0100;
  const code = answer.kind === "unknown-name" ? NAME_ERROR : NO_ERROR;
  header.writeUInt16BE(0x8080 | recursionDesired | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answer.kind === "address" ? 1 : 0, 6);
  if (answer.kind !== "address") return Buffer.concat([header, questionBytes(question)]);
  const record = Buffer.alloc(16);
  record.writeUInt16BE(0xc000 | HEADER, 0); // the question's name
  record.writeUInt16BE(TYPE_A, 2);
  record.writeUInt16BE(CLASS_INTERNET, 4);
  record.writeUInt32BE(SECONDS_TO_LIVE, 6);
  record.writeUInt16BE(4, 10);
  record.set(answer.address.split(".").map(Number), 12);
  return Buffer.concat([header, questionBytes(question), record]);
}
