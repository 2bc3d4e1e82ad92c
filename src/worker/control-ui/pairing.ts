/**
 * What a browser shows while its device waits for approval: the device's name and the code that the
 * admin page shows, too. It listens to the page's own handshake with the gateway, so it needs to know
 * nothing of how the Control UI is built, and goes away by itself when the gateway says yes.
 *
 * Nothing of a frame is kept or changed, and what it shows is set as text.
 */
export const PAIRING_SCRIPT = `(() => {
  const texts = navigator.language.toLowerCase().startsWith("zh")
    ? { title: "此设备正在等待批准", code: "编码", device: "设备", how: "请在管理页的“设备”中批准显示相同编码的设备。批准后本页会自动继续。" }
    : { title: "This device waits for approval", code: "Code", device: "Device",
        how: "Approve the device with the same code on the admin page, under Devices. This page goes on by itself then." };
  // The same as in the admin page: 50 bits of the device's id in Crockford's alphabet.
  const codeOf = (id) => {
    let bits = BigInt("0x" + id.slice(0, 16)) >> 14n;
    let code = "";
    for (let place = 0; place < 10; place += 1) {
      code = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[Number(bits & 31n)] + code;
      bits >>= 5n;
    }
    return code.slice(0, 5) + "-" + code.slice(5);
  };
  const make = (name, text, style) => {
    const made = document.createElement(name);
    made.textContent = text;
    Object.assign(made.style, style);
    return made;
  };
  let shown, known = "";
  const hide = () => {
    shown?.remove();
    shown = undefined;
    known = "";
  };
  const show = (id, name) => {
    if (!/^[0-9a-f]{64}$/.test(id) || known === id || !document.body) return;
    hide();
    known = id;
    shown = document.createElement("section");
    shown.id = "moltworker-pairing";
    shown.setAttribute("role", "status");
    Object.assign(shown.style, {
      position: "fixed", inset: "0", zIndex: "2147483646", display: "grid", placeContent: "center",
      gap: "12px", padding: "24px", textAlign: "center", font: "16px/1.5 system-ui, sans-serif",
      color: "#fff", background: "#14181f", overflowWrap: "anywhere",
    });
    shown.append(
      make("h1", texts.title, { fontSize: "22px", margin: "0" }),
      make("p", texts.device + ": " + name, { margin: "0" }),
      make("p", texts.code + ": " + codeOf(id), { margin: "0", fontSize: "28px", fontFamily: "ui-monospace, monospace" }),
      make("p", texts.how, { margin: "0", maxWidth: "32rem" }),
    );
    document.body.append(shown);
  };
  const frame = (data) => {
    if (typeof data !== "string" || data.length > 100000) return undefined;
    try {
      return JSON.parse(data);
    } catch {
      return undefined;
    }
  };
  const Native = globalThis.WebSocket;
  globalThis.WebSocket = class WebSocket extends Native {
    #connect;
    #answered = false;
    constructor(...args) {
      super(...args);
      this.addEventListener("message", ({ data }) => {
        if (this.#answered || this.#connect === undefined) return;
        const answer = frame(data);
        if (answer?.type !== "res" || answer.id !== this.#connect.id) return;
        this.#answered = true;
        if (answer.ok === true) return hide();
        if (answer.error?.details?.code !== "PAIRING_REQUIRED") return;
        const { client, device } = this.#connect.params ?? {};
        show(String(device?.id), [client?.displayName ?? client?.id, client?.platform].filter(Boolean).join(", ").slice(0, 120));
      });
    }
    send(data) {
      if (this.#connect === undefined) {
        const sent = frame(data);
        if (sent?.method === "connect") this.#connect = sent;
      }
      super.send(data);
    }
  };
})();
`;
