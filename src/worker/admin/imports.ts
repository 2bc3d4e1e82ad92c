/** `/api/backups/imports*`: an archive from elsewhere, in parts, looked at, and taken in. */
import { Hono, type Context } from "hono";
import * as z from "zod";
import { survey } from "../../archive/survey.ts";
import { BACKUPS_API, beginImportBody } from "../../protocol/admin-backups.ts";
import { IMPORT_PART_BYTES } from "../../protocol/import.ts";
import { archiveBytes, storePart } from "../backups/import-bytes.ts";
import { NO_BUCKET } from "../backups/no-bucket.ts";
import { bytesOf } from "../backups/streams.ts";
import { keysOf } from "../backups/cipher.ts";
import { jsonReply } from "../replies.ts";
import { call, fail, readBody } from "../json-call.ts";
import { done, lasting, ok, type Bindings } from "./calls.ts";

const empty = z.strictObject({});
const partNumber = z.coerce.number().int().min(0).max(10_000);

export const importsApi = new Hono<Bindings>();

importsApi.get("/api/backups/imports", async ({ env }) => {
  const found = await call(env.agent.imports.list());
  return found.ok
    ? ok(BACKUPS_API.imports, { imports: found.value })
    : fail(503, "backups_unavailable", found.message);
});

importsApi.post("/api/backups/imports", async (context) => {
  const body = await readBody(context, beginImportBody);
  if (body instanceof Response) return body;
  const begun = await call(context.env.agent.imports.begin(body.name, body.bytes));
  if (!begun.ok) return fail(409, "refused", begun.message);
  return ok(BACKUPS_API.beginImport, begun.value);
});

importsApi.put("/api/backups/imports/:id/parts/:n", async ({ env, req }) => {
  const { agent, bucket, config } = env;
  if (bucket === undefined) return fail(503, "backups_unavailable", NO_BUCKET);
  const n = partNumber.safeParse(req.param("n"));
  if (!n.success) return fail(400, "invalid_query", "Parts are counted from 0.");
  const body = req.raw.body;
  if (body === null) return fail(400, "invalid_body", "A part has bytes.");
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await bytesOf(body, IMPORT_PART_BYTES);
  } catch {
    return fail(413, "body_too_large", `A part has at most ${IMPORT_PART_BYTES} bytes.`);
  }
  const id = req.param("id");
  const place = await call(agent.imports.part(id, n.data, bytes.byteLength));
  if (!place.ok) return fail(409, "refused", place.message);
  const stored = await storePart(place.value.key, bytes, { bucket, keys: await keysOf(config) });
  if (!stored.ok) return fail(503, "backups_unavailable", stored.message);
  const view = await call(agent.imports.stored(id, n.data));
  return view.ok ? jsonReply(200, view.value) : fail(409, "refused", view.message);
});

importsApi.post("/api/backups/imports/:id/survey", async (context) => {
  const body = await readBody(context, empty);
  if (body instanceof Response) return body;
  const { agent, bucket, config } = context.env;
  if (bucket === undefined) return fail(503, "backups_unavailable", NO_BUCKET);
  const source = await call(agent.imports.source(context.req.param("id")));
  if (!source.ok) return fail(409, "refused", source.message);
  const keys = await keysOf(config);
  try {
    const found = await survey(archiveBytes(source.value, { bucket, keys }), source.value.bytes);
    return ok(BACKUPS_API.surveyImport, found);
  } catch (error) {
    return fail(503, "backups_unavailable", String(error).slice(0, 500));
  }
});

importsApi.post("/api/backups/imports/:id/apply", async (context) => {
  const body = await readBody(context, empty);
  if (body instanceof Response) return body;
  const id = context.req.param("id");
  return lasting(context, context.env.agent.imports.apply(id), "import-applied", id);
});

importsApi.delete("/api/backups/imports/:id", async (context: Context<Bindings>) => {
  const id = context.req.param("id") ?? "";
  const { env } = context;
  return done(env, env.agent.imports.drop(id), "import-dropped", id);
});
