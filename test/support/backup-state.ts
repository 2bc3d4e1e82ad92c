/** Folders compared by what a person would call their content. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Path → what is there: text of a file, rows of a database, target of a link, or a folder. */
export function contentOf(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (path: string) => {
    for (const name of readdirSync(join(folder, path)).sort()) {
      const child = path === "" ? name : `${path}/${name}`;
      const at = join(folder, child);
      const stat = lstatSync(at);
      const mode = (stat.mode & 0o777).toString(8);
      if (stat.isSymbolicLink()) found[child] = `link ${readlinkSync(at)}`;
      else if (stat.isDirectory()) {
        found[child] = `folder ${mode}`;
        visit(child);
      } else if (name.endsWith(".sqlite")) found[child] = `database ${brief(rowsOf(at).join(","))}`;
      else if (!/-(wal|shm|journal)$/.test(name)) {
        found[child] = `file ${mode} ${brief(readFileSync(at).toString("base64"))}`;
      }
    }
  };
  visit("");
  return found;
}

function brief(text: string): string {
  return text.length < 200 ? text : createHash("sha256").update(text).digest("hex");
}

export function addRows(path: string, ...values: string[]): void {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS t (v TEXT)");
  for (const value of values) database.prepare("INSERT INTO t VALUES (?)").run(value);
  database.close();
}

export function rowsOf(path: string): string[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database
      .prepare("SELECT v FROM t ORDER BY rowid")
      .all()
      .map((row) => String(row["v"]));
  } finally {
    database.close();
  }
}

export function put(folder: string, path: string, content: string | Buffer, mode = 0o600): void {
  const at = join(folder, path);
  mkdirSync(dirname(at), { recursive: true });
  writeFileSync(at, content);
  chmodSync(at, mode);
}

export function link(folder: string, path: string, target: string): void {
  const at = join(folder, path);
  mkdirSync(dirname(at), { recursive: true });
  rmSync(at, { recursive: true, force: true });
  symlinkSync(target, at);
}
