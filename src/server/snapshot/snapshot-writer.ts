import { createHash } from "node:crypto";
import { type ReplaceOptions, replaceFile } from "../../files/replace-file.js";
import type { KeySpaceEnd, MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import { HEADER, lineOf, type Section, type SnapshotLine } from "./snapshot-format.js";

/** The key spaces in a snapshot. */
export type KeySpaces = Readonly<Record<Section["keySpace"], MemoryKeySpace>>;

/** Characters per write. */
const PIECE_LENGTH = 1 << 16;

/**
 * Replaces the snapshot file. Requests are served during the write; the snapshot contains the key spaces
 * as they are at one moment shortly before the end. The memory used is bounded by the changes made
 * during the write.
 *
 * @param onCaptured called at that moment
 * @throws FileWriteError, and the errors of `options.confirm`; the old file is then unchanged
 */
export function writeSnapshot(
  path: string,
  keySpaces: KeySpaces,
  onCaptured: () => void,
  options?: ReplaceOptions,
): Promise<void> {
  return replaceFile(path, piecesOf(linesOf(keySpaces, onCaptured)), options);
}

function* linesOf(
  { keys, auth }: KeySpaces,
  onCaptured: () => void,
): Generator<SnapshotLine, void, undefined> {
  using keysWalk = keys.walk();
  using authWalk = auth.walk();
  yield HEADER;
  yield { keySpace: "keys" };
  yield* keysWalk.unchanged();
  yield { keySpace: "auth" };
  yield* authWalk.unchanged();
  const ends = { keys: keysWalk.end(), auth: authWalk.end() };
  onCaptured();
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

/** The text of the lines and the footer, in pieces large enough for a write. */
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
