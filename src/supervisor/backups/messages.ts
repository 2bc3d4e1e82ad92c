import * as z from "zod";
import { mark } from "./home.ts";
import { MAX_FILES, sha256Hex, statePath } from "../../protocol/backup.ts";

/**
 * Between the supervisor and the reader, a process of the agent's user that looks at the agent's
 * files. What the reader says is the agent's word: it is checked like any other input, and it can do
 * no more than describe a state that the agent could have made.
 */
export const readerCommand = z.discriminatedUnion("do", [
  z.object({
    do: z.literal("open"),
    home: z.string(),
    scratch: z.string(),
    /** Content of the newest generation; what differs from it has changed. */
    known: z.array(
      z.object({
        path: z.string(),
        mode: z.number(),
        database: z.literal(true).optional(),
        partSize: z.number().optional(),
        hashes: z.array(z.string()),
      }),
    ),
    /** Paths of its folders and links, with mode or target. */
    shape: z.array(z.tuple([z.string(), z.string()])),
    watch: z.boolean(),
    /** Present for the agent's home: the reader marks there which generation it is the same as. */
    mark: mark.optional(),
  }),
  z.object({
    do: z.literal("scan"),
    /** Content to send although it has not changed. */
    resend: z.array(z.object({ path: z.string(), parts: z.array(z.number()) })),
  }),
  /** What the last scan saw is kept now, or is not. */
  z.object({ do: z.literal("settle"), kept: z.boolean(), generation: z.number().optional() }),
  /** Writes the mark before a commit is asked for. */
  z.object({ do: z.literal("mark"), mark }),
  z.object({
    do: z.literal("check"),
    home: z.string(),
    /** For copies of the databases, one after the other. */
    scratch: z.string(),
    databases: z.array(z.string()),
    /** Takes away what was checked. */
    remove: z.boolean(),
  }),
  /** Takes what is secret out of databases that came from elsewhere. */
  z.object({ do: z.literal("purge"), home: z.string(), databases: z.array(z.string()) }),
]);
export type ReaderCommand = z.infer<typeof readerCommand>;

const size = z.number().int().nonnegative();

export const observedFile = z.object({
  path: statePath,
  mode: z.number().int().min(0).max(0o777),
  modified: z.number().nonnegative(),
  size,
  database: z.literal(true).optional(),
  /** Present when the content is in parts: one hash each, else one for all of it. */
  partSize: z.number().int().min(4096).optional(),
  hashes: z.array(sha256Hex),
});
export type ObservedFile = z.infer<typeof observedFile>;

export const readerMessage = z.discriminatedUnion("say", [
  z.object({ say: z.literal("opened") }),
  z.object({ say: z.literal("dirty") }),
  /** The next frame is the content. */
  z.object({
    say: z.literal("content"),
    path: statePath,
    part: size.optional(),
    mode: z.number().int().min(0).max(0o777),
    modified: z.number().nonnegative(),
    sha256: sha256Hex,
    size,
  }),
  z.object({
    say: z.literal("scanned"),
    /** False when nothing differs from the newest generation; without content before it, the lists are then empty. */
    changed: z.boolean(),
    folders: z.array(z.object({ path: statePath, mode: z.number().int() })).max(MAX_FILES),
    links: z.array(z.object({ path: statePath, target: z.string().max(4096) })).max(MAX_FILES),
    files: z.array(observedFile).max(MAX_FILES),
    unkept: z.array(z.object({ path: z.string(), why: z.string() })),
    removed: size,
    /** False when some folder cannot be watched. */
    watching: z.boolean(),
    /** What looking cost, without the waits for whoever takes the content. */
    cpuMs: z.number(),
  }),
  /** What a scan saw is noted as kept or as not kept, and the home's mark is written. */
  z.object({ say: z.literal("settled") }),
  /** One database of those that are asked about is done. */
  z.object({ say: z.literal("checking") }),
  z.object({ say: z.literal("marked"), problem: z.string().max(2000).optional() }),
  z.object({
    say: z.literal("checked"),
    problems: z.array(z.object({ path: z.string(), problem: z.string() })),
  }),
  z.object({
    say: z.literal("failed"),
    message: z.string().max(2000),
    /** The state itself is broken, which no other try will find different, or lacks what somebody can put back. */
    what: z.enum(["broken", "hole"]).optional(),
  }),
]);
export type ReaderMessage = z.infer<typeof readerMessage>;
