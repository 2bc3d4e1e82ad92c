import { useSyncExternalStore } from "react";

const BASE = "/_admin/";

/** The room in the address: the one segment below `/_admin/`. */
export function useRoomName(): string {
  return useSyncExternalStore(subscribe, roomName);
}

export function roomName(): string {
  const { pathname } = window.location;
  return pathname.startsWith(BASE) ? pathname.slice(BASE.length).replace(/\/$/, "") : "";
}

export function roomAddress(room: string): string {
  return `${BASE}${room}`;
}

export function openRoom(room: string): void {
  window.history.pushState(undefined, "", roomAddress(room));
  window.dispatchEvent(new PopStateEvent("popstate"));
}

function subscribe(changed: () => void): () => void {
  window.addEventListener("popstate", changed);
  return () => window.removeEventListener("popstate", changed);
}
