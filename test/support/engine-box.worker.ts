// A Worker that lets a test drive `ctx.container` over HTTP: /<box>/<operation>.
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

type Intercept = { kind: "http" | "https" | "all-http"; host?: string; via: string };

export class Outside extends WorkerEntrypoint<object, { via: string }> {
  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const { via } = this.ctx.props;
    if (request.headers.get("upgrade") === "websocket") {
      const pair = new WebSocketPair();
      pair[1].accept();
      pair[1].addEventListener("message", (event) => pair[1].send(`${via}:${String(event.data)}`));
      return new Response(null, { status: 101, webSocket: pair[0] });
    }
    if (url.pathname === "/repo.git/info/refs") {
      return new Response("0123456789012345678901234567890123456789\trefs/heads/main\n", {
        headers: { "content-type": "text/plain" },
      });
    }
    const body = await request.text();
    return Response.json({ via, method: request.method, url: request.url, bytes: body.length });
  }
}

/** The type of `ctx.exports` is one for all Workers, and knows only what the product exports. */
type Exported = Cloudflare.Exports & { Outside: LoopbackForExport<typeof Outside> };

export class Box extends DurableObject {
  #exit: Promise<unknown> | undefined;

  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const [, , operation = "", ...rest] = url.pathname.split("/");
    const { container } = this.ctx;
    if (container === undefined) return new Response("no container", { status: 500 });
    switch (operation) {
      case "start": {
        const { intercepts = [], ...options } = (await request.json()) as {
          intercepts?: Intercept[];
        };
        await this.#intercept(intercepts);
        container.start({ enableInternet: false, ...options });
        this.#exit = container.monitor().then(
          () => ({ ok: true }),
          (error: unknown) => ({
            ok: false,
            message: String(error),
            exitCode: (error as { exitCode?: number }).exitCode,
          }),
        );
        return Response.json({ running: container.running });
      }
      case "intercept":
        await this.#intercept((await request.json()) as Intercept[]);
        return Response.json({});
      case "port": {
        const [port = "", ...path] = rest;
        return container
          .getTcpPort(Number(port))
          .fetch(new Request(`http://sandbox/${path.join("/")}${url.search}`, request));
      }
      case "exit":
        return Response.json(await this.#exit);
      case "running":
        return Response.json(container.running);
      case "destroy":
        await container.destroy();
        return Response.json({});
      case "signal":
        container.signal(Number(rest[0]));
        return Response.json({});
      case "exec": {
        const { cmd, input, kill, ...options } = (await request.json()) as {
          cmd: string[];
          input?: string;
          kill?: number;
        };
        const child = await container.exec(cmd, {
          stdin: "pipe",
          stdout: "pipe",
          stderr: "pipe",
          ...options,
        });
        const writer = child.stdin?.getWriter();
        if (input !== undefined) await writer?.write(new TextEncoder().encode(input));
        await writer?.close();
        if (kill !== undefined) await child.kill(kill);
        const output = await child.output();
        return Response.json({
          exitCode: output.exitCode,
          stdout: new TextDecoder().decode(output.stdout),
          stderr: new TextDecoder().decode(output.stderr),
        });
      }
      case "snapshot":
        await container.snapshotContainer({});
        return Response.json({});
      default:
        return new Response("no such operation", { status: 404 });
    }
  }

  async #intercept(intercepts: Intercept[]): Promise<void> {
    const { container } = this.ctx;
    const exports = this.ctx.exports as Exported;
    for (const { kind, host = "", via } of intercepts) {
      const outside = exports.Outside({ props: { via } });
      if (kind === "http") await container?.interceptOutboundHttp(host, outside);
      else if (kind === "https") await container?.interceptOutboundHttps(host, outside);
      else await container?.interceptAllOutboundHttp(outside);
    }
  }
}

export default {
  async fetch(request: Request, env: { BOX: DurableObjectNamespace }): Promise<Response> {
    const [, box = ""] = new URL(request.url).pathname.split("/");
    try {
      return await env.BOX.get(env.BOX.idFromName(box)).fetch(request);
    } catch (error) {
      return Response.json({ failed: String(error) }, { status: 599 });
    }
  },
};
