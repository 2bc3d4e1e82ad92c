import * as z from "zod";
import type { ChannelHost } from "../channel.ts";
import type { Threads } from "./heed.ts";

const MAX_ENTRIES = 300;
const entries = z.array(z.string());

/** The latest entries of a list among the channel's notes. */
export class KeptList implements Threads {
  readonly #host: Pick<ChannelHost, "read" | "write">;
  readonly #name: string;

  constructor(host: Pick<ChannelHost, "read" | "write">, name: string) {
    this.#host = host;
    this.#name = name;
  }

  has(entry: string): boolean {
    return this.#read().includes(entry);
  }

  add(entry: string): void {
    this.#write([...this.#read().filter((one) => one !== entry), entry]);
  }

  remove(entry: string): void {
    this.#write(this.#read().filter((one) => one !== entry));
  }

  #read(): string[] {
    return entries.parse(JSON.parse(this.#host.read(this.#name) ?? "[]"));
  }

  #write(list: string[]): void {
    this.#host.write(this.#name, JSON.stringify(list.slice(-MAX_ENTRIES)));
  }
}
