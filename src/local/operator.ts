/**
 * A Worker beside the local one that only this process can call (it has no port): how `npm start`
 * watches, starts and stops its own agent without a login.
 */
import type { AgentNamespace } from "../worker/env.ts";

interface OperatorEnv {
  AGENT: AgentNamespace;
}

export default {
  async fetch(request: Request, env: OperatorEnv): Promise<Response> {
    const [, agentId = "", call] = new URL(request.url).pathname.split("/");
    const agent = env.AGENT.getByName(agentId);
    switch (call) {
      case "status":
        return Response.json(await agent.status());
      case "start":
        return Response.json(await agent.start());
      case "stop":
        return Response.json(await agent.shutDown());
      case "restart":
        return Response.json(await agent.restart());
      case "lookAfter":
        await agent.lookAfter();
        return Response.json({ ok: true });
      default:
        return new Response("no such call", { status: 404 });
    }
  },
};
