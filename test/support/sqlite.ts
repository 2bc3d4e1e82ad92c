/** A Durable Object's SQLite for a unit test: the platform's interface over Node's own. */
import { DatabaseSync } from "node:sqlite";
import type { Sql, SqlValue } from "../../src/worker/agent/store/schema.ts";

/** In memory. Several statements at once when there is nothing to bind, as the platform takes them. */
export function sqlite(): Sql {
  const database = new DatabaseSync(":memory:");
  return {
    exec<T extends Record<string, SqlValue>>(query: string, ...bindings: SqlValue[]) {
      if (bindings.length === 0 && !/^\s*select/i.test(query)) {
        database.exec(query);
        return { toArray: () => [] };
      }
      const values = bindings.map((value) => (value instanceof ArrayBuffer ? null : value));
      const rows = database.prepare(query).all(...values);
      return { toArray: () => rows as T[] };
    },
  };
}
