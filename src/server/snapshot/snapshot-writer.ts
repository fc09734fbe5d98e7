import { createHash } from "node:crypto";
import { type ReplaceOptions, replaceFile } from "../../files/replace-file.js";
import type { KeySpaceEnd, MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import { HEADER, lineOf, type Section, type SnapshotLine } from "./snapshot-format.js";

/** What a snapshot is made of. */
export type KeySpaces = Readonly<Record<Section["keySpace"], MemoryKeySpace>>;

/** Characters that are written at a time. */
const PIECE_LENGTH = 1 << 16;

/**
 * Puts a snapshot in the place of the old one. Requests go on meanwhile; the snapshot is the key
 * spaces at one moment shortly before the call is over. Memory is bounded by what changes meanwhile.
 *
 * @param onMoment called at that moment
 * @throws FileWriteError, and what `options.confirm` throws; the old one is still there then
 */
export function writeSnapshot(
  path: string,
  keySpaces: KeySpaces,
  onMoment: () => void,
  options?: ReplaceOptions,
): Promise<void> {
  return replaceFile(path, piecesOf(linesOf(keySpaces, onMoment)), options);
}

function* linesOf(
  { keys, auth }: KeySpaces,
  onMoment: () => void,
): Generator<SnapshotLine, void, undefined> {
  using keysWalk = keys.walk();
  using authWalk = auth.walk();
  yield HEADER;
  yield { keySpace: "keys" };
  yield* keysWalk.unchanged();
  yield { keySpace: "auth" };
  yield* authWalk.unchanged();
  const ends = { keys: keysWalk.end(), auth: authWalk.end() };
  onMoment();
  yield* endOf("keys", ends.keys);
  yield* endOf("auth", ends.auth);
}

function* endOf(
  keySpace: Section["keySpace"],
  { changed, history, ...indexes }: KeySpaceEnd,
): Generator<SnapshotLine, void, undefined> {
  yield { keySpace, ...indexes };
  yield* changed;
  yield* history;
}

/** The text of lines, and of the footer, in pieces of a length that is worth a write. */
async function* piecesOf(lines: Iterable<SnapshotLine>): AsyncGenerator<string, void, undefined> {
  const hash = createHash("sha256");
  let count = 0;
  let piece = "";
  for (const line of lines) {
    piece += lineOf(line);
    count++;
    if (piece.length < PIECE_LENGTH) continue;
    hash.update(piece);
    yield piece;
    piece = "";
  }
  hash.update(piece);
  yield piece + lineOf({ lines: count, sha256: hash.digest("hex") });
}
