/** The request bodies of the Docker API that the runtime sends, as far as the engine reads them. */
import * as z from "zod";

const environment = z
  .array(z.string())
  .nullish()
  .transform((pairs) =>
    Object.fromEntries(
      (pairs ?? []).map((pair) => {
        const at = pair.indexOf("=");
        return at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
      }),
    ),
  );

export const createRequest = z.object({
  Image: z.string(),
  Cmd: z
    .array(z.string())
    .nullish()
    .transform((words) => words ?? []),
  Env: environment,
  Labels: z
    .record(z.string(), z.string())
    .nullish()
    .transform((labels) => labels ?? {}),
  StopTimeout: z.number().nonnegative().nullish(),
  HostConfig: z
    .object({
      NetworkMode: z.string().nullish(),
      Mounts: z.array(z.unknown()).nullish(),
      Binds: z.array(z.unknown()).nullish(),
    })
    .nullish(),
});
export type CreateRequest = z.infer<typeof createRequest>;

export const execRequest = z.object({
  Cmd: z.array(z.string()).min(1),
  Env: environment,
  WorkingDir: z.string().nullish(),
  User: z.string().nullish(),
  Tty: z.boolean().nullish(),
});
export type ExecRequest = z.infer<typeof execRequest>;

export const execStartRequest = z.object({ Detach: z.boolean().nullish() });

/** `filters` of the list calls: either a list of `key=value` or a map with them as keys. */
export const listFilters = z.object({
  label: z
    .union([z.array(z.string()), z.record(z.string(), z.unknown()).transform(Object.keys)])
    .default([]),
});
