import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { codeOf } from "../../files/file-write-error.js";
import type { KeySpaceSnapshot } from "../../key-space/memory/memory-key-space.js";
import type { SnapshotNode } from "../../key-space/memory/store-walk.js";
import type { StoreEvent } from "../../key-space/shared/store-event.js";
import { textLines } from "../../stream/text-lines.js";
import {
  type Footer,
  HEADER,
  isFooter,
  isNode,
  isRemoved,
  isSection,
  lineOf,
  readLine,
  type Section,
} from "./snapshot-format.js";

/** Contents of a snapshot file: the keys, and the users and roles in a separate key space. */
export type ServerSnapshot = Readonly<Record<Section["keySpace"], KeySpaceSnapshot>>;

/** A snapshot file that cannot be used. It is not changed. */
export class SnapshotError extends Error {
  constructor(path: string, problem: string, cause?: unknown) {
    const advice = "it was not changed: restore a good copy, or move it away to start empty";
    super(`snapshot file ${path} ${problem}; ${advice}`, { cause });
  }
}

/**
 * Reads a snapshot; undefined when the file does not exist.
 *
 * @throws SnapshotError for a file that is damaged or not a snapshot
 */
export async function readSnapshot(path: string): Promise<ServerSnapshot | undefined> {
  const lines = textLines(createReadStream(path, { encoding: "utf8", highWaterMark: 1 << 18 }));
  try {
    return await read(lines);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    const { message } = error as Error;
    if (error instanceof FormatError) throw new SnapshotError(path, message);
    throw new Error(`snapshot file ${path} cannot be read: ${message}`, { cause: error });
  }
}

/** The text is not a valid snapshot. */
class FormatError extends Error {}

async function read(lines: AsyncGenerator<string>): Promise<ServerSnapshot> {
  const { value: header = "" } = await lines.next();
  if (`${header}\n` === lineOf(HEADER)) return await readLines(header, lines);
  if (header.startsWith("etcdnet snapshot 1 ")) return await readVersion1(header, lines);
  const isCutOff = header !== "" && lineOf(HEADER).startsWith(header);
  throw new FormatError(
    isCutOff ? "is damaged: it ends in line 1" : "is not a snapshot of this version",
  );
}

async function readLines(header: string, lines: AsyncGenerator<string>): Promise<ServerSnapshot> {
  const hash = createHash("sha256").update(`${header}\n`);
  const snapshot = { keys: new Part(), auth: new Part() };
  let part = snapshot.keys;
  let number = 1;
  let footer: Footer | undefined;
  for await (const text of lines) {
    number++;
    if (footer !== undefined) throw new FormatError(`is damaged: line ${number} is after its end`);
    const line = readOrRefuse(text, number);
    if (isFooter(line)) {
      footer = line;
      continue;
    }
    hash.update(`${text}\n`);
    if (isSection(line)) part = snapshot[line.keySpace];
    part.add(line);
  }
  if (footer === undefined) throw new FormatError(`is damaged: it ends after line ${number}`);
  if (footer.lines !== number - 1 || footer.sha256 !== hash.digest("hex")) {
    throw new FormatError("is damaged: it was altered");
  }
  return { keys: snapshot.keys.complete(), auth: snapshot.auth.complete() };
}

function readOrRefuse(text: string, number: number): ReturnType<typeof readLine> {
  try {
    return readLine(text);
  } catch {
    throw new FormatError(`is damaged: line ${number} cannot be read`);
  }
}

/** The part of a key space that was read so far. */
class Part {
  readonly #nodes = new Map<string, SnapshotNode>();
  readonly #history: StoreEvent[] = [];
  #indexes: Section | undefined;

  add(line: Exclude<ReturnType<typeof readLine>, Footer>): void {
    if (isNode(line)) this.#nodes.set(line[0], line);
    else if (isRemoved(line)) this.#nodes.delete(line[0]);
    else if (isSection(line)) this.#indexes = line;
    else this.#history.push(line);
  }

  complete(): KeySpaceSnapshot {
    const { clusterId, index, historyFloor } = this.#indexes ?? {};
    if (clusterId === undefined || index === undefined || historyFloor === undefined) {
      throw new FormatError("is damaged: indexes are missing");
    }
    const store = { index, nodes: [...this.#nodes.values()] };
    return { clusterId, store, history: this.#history, historyFloor };
  }
}

/** The format before version 2: one line of JSON after a line with its checksum. */
async function readVersion1(
  header: string,
  lines: AsyncGenerator<string>,
): Promise<ServerSnapshot> {
  const { value: content = "" } = await lines.next();
  const checksum = createHash("sha256").update(content).digest("hex");
  if (header !== `etcdnet snapshot 1 sha256 ${checksum}`) throw new FormatError("is damaged");
  return JSON.parse(content) as ServerSnapshot;
}
