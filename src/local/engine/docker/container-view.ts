/** A container as the Docker API describes it. */
import type { Container } from "./containers.ts";

/** The port of the interceptor that the runtime asks for by number. */
const SIDECAR_PORT = "39001/tcp";

export function stateOf(container: Container): string {
  if (container.kind === "sidecar") return container.sidecar === undefined ? "created" : "running";
  return container.state === "starting" ? "created" : container.state;
}

export function inspect(container: Container): unknown {
  const status = stateOf(container);
  const sandbox = container.kind === "sandbox" ? container : undefined;
  const port = container.kind === "sidecar" ? container.sidecar?.port : undefined;
  return {
    Id: container.id,
    Name: `/${container.name}`,
    State: {
      Status: status,
      Running: status === "running",
      Pid: sandbox?.sandbox?.pid ?? 0,
      ExitCode: sandbox?.exitCode ?? 0,
    },
    Config: { Image: container.image, Labels: container.labels },
    NetworkSettings: {
      Ports:
        port === undefined
          ? {}
          : { [SIDECAR_PORT]: [{ HostIp: "127.0.0.1", HostPort: String(port) }] },
    },
  };
}

export function hasLabels(container: Container, wanted: string[]): boolean {
  return wanted.every((label) => {
    const [key = "", ...value] = label.split("=");
    if (!Object.hasOwn(container.labels, key)) return false;
    return value.length === 0 || container.labels[key] === value.join("=");
  });
}
