/** Passes the bytes of a connection on and does nothing else. One argument: the port on this machine they go to. */
import { connect, createServer } from "node:net";

const to = Number(process.argv[2]);
const server = createServer({ noDelay: true }, (from) => {
  const onward = connect({ port: to, host: "127.0.0.1", noDelay: true });
  for (const [one, other] of [
    [from, onward],
    [onward, from],
  ]) {
    one?.on("error", () => other?.destroy());
    one?.on("close", () => other?.destroy());
  }
  from.pipe(onward);
  onward.pipe(from);
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") process.stdout.write(`${address.port}\n`);
});
