import { Apps } from "./apps.tsx";
import { DevicesRoom } from "./devices.tsx";

export function DevicesAndApps() {
  return (
    <>
      <DevicesRoom />
      <Apps />
    </>
  );
}
