/** What `GET /_moltworker/session` answers to a client that holds the gateway token or its cookie. */
export interface SessionReply {
  agentId: string;
  /** The token that the client signs its `connect` with: the gateway's own, worthless at the edge. */
  gatewayToken: string;
}
