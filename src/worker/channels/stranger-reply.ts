/** To whoever writes without having been let in, while the agent is not woken for it. */
export const STRANGER_REPLY =
  "This is somebody's personal assistant and it does not know you yet. Ask its owner to let you in, " +
  "then write again. (这是一个私人助理，它还不认识你。请联系它的主人批准后再发消息。)";
