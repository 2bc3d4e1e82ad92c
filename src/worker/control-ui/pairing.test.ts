import vm from "node:vm";
import { expect, test } from "vitest";
import { pairingCode } from "../../protocol/pairing.ts";
import { PAIRING_SCRIPT } from "./pairing.ts";

interface Shown {
  id?: string;
  texts: string[];
  removed: boolean;
}

/** As much of a page as the script touches. */
function openPage() {
  const shown: Shown[] = [];
  const element = () => {
    const made: Shown & Record<string, unknown> = {
      texts: [],
      removed: false,
      style: {},
      textContent: "",
      setAttribute: () => undefined,
      append: (...parts: { textContent: string }[]) => {
        made.texts.push(...parts.map(({ textContent }) => textContent));
      },
      remove: () => {
        made.removed = true;
      },
    };
    return made;
  };
  class Socket {
    listeners: ((event: { data: unknown }) => void)[] = [];
    sent: unknown[] = [];
    addEventListener(_name: string, listener: (event: { data: unknown }) => void) {
      this.listeners.push(listener);
    }
    send(data: unknown) {
      this.sent.push(data);
    }
    answer(data: unknown) {
      for (const listener of this.listeners) listener({ data });
    }
  }
  const scope = { WebSocket: Socket, navigator: { language: "en-GB" } };
  const document = {
    createElement: element,
    body: { append: (made: Shown) => shown.push(made) },
  };
  const page = vm.createContext({ ...scope, document });
  vm.runInContext(PAIRING_SCRIPT, page);
  return { shown, open: (): Socket => vm.runInContext("new WebSocket()", page) };
}

const ID = "0123456789abcdef".repeat(4);
const connect = JSON.stringify({
  type: "req",
  id: "1",
  method: "connect",
  params: { client: { id: "control-ui", platform: "Linux" }, device: { id: ID } },
});
const refused = JSON.stringify({
  type: "res",
  id: "1",
  ok: false,
  error: { code: "NOT_PAIRED", details: { code: "PAIRING_REQUIRED", deviceId: ID } },
});
const accepted = JSON.stringify({ type: "res", id: "1", ok: true, payload: { type: "hello-ok" } });

test("a device that is not paired sees its name and the code of the admin page, once, until it is let in", () => {
  const { shown, open } = openPage();
  for (let round = 0; round < 3; round += 1) {
    const socket = open();
    socket.send(connect);
    socket.answer(refused);
    expect(socket.sent).toEqual([connect]);
  }
  expect(shown).toHaveLength(1);
  expect(shown[0]?.texts.join(" ")).toContain(pairingCode(ID));
  expect(shown[0]?.texts.join(" ")).toContain("control-ui, Linux");
  const socket = open();
  socket.send(connect);
  socket.answer(accepted);
  expect(shown[0]?.removed).toBe(true);
});

test.each([
  ["other refusals", refused.replace("PAIRING_REQUIRED", "X")],
  ["binary", new ArrayBuffer(2)],
  ["no JSON", "{"],
])("%s show nothing and break nothing", (_name, data) => {
  const { shown, open } = openPage();
  const socket = open();
  socket.send(connect);
  socket.answer(data);
  expect(shown).toEqual([]);
});
