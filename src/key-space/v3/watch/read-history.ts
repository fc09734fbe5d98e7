import { PartTooLong } from "../../../cluster/exchange/body-decoder.js";
import { ProtocolError } from "../../../errors/cluster-errors.js";
import type { KeyRange } from "../../../etcd3/transaction.js";
import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import type { Clock } from "../../../time/clock.js";
import { nextBeforeSilence } from "./next-before-silence.js";
import { Compacted, type Revision, RevisionStream } from "./revision-stream.js";

/** What is to be read again. */
export interface Past {
  /** First revision. */
  readonly from: number;
  /** Revision before which it ends. Something in the range must have changed at it or later. */
  readonly to: number;
  /** Changes after which it is too much. */
  readonly limit: number;
}

/** Milliseconds without a byte after which the answer has broken off. */
const SILENCE = 10_000;

/**
 * Reads revisions of the past, by a watch of its own: `undefined` when there are more changes than the
 * limit, or etcd has compacted them.
 *
 * @throws ClusterUnavailableError, AbortError, ProtocolError
 */
export async function readHistory(
  api: V3Api,
  range: KeyRange,
  past: Past,
  clock: Clock,
  call: V3Call,
): Promise<readonly Revision[] | undefined> {
  try {
    return await read(api, range, past, clock, call);
  } catch (error) {
    if (error instanceof Compacted || error instanceof PartTooLong) return undefined;
    throw error;
  }
}

async function read(
  api: V3Api,
  range: KeyRange,
  { from, to, limit }: Past,
  clock: Clock,
  call: V3Call,
): Promise<readonly Revision[] | undefined> {
  const stream = await RevisionStream.open(api, range, { from }, call);
  const past: Revision[] = [];
  let changes = 0;
  try {
    for (let upTo = from - 1; upTo < to - 1; ) {
      const news = await nextBeforeSilence(stream, SILENCE, clock, call);
      if (news === undefined || news === "silence") {
        throw new ProtocolError(`${call.operation}: the history broke off`);
      }
      const wanted = news.revisions.filter(({ number }) => number < to);
      changes += wanted.reduce((sum, revision) => sum + revision.changes.length, 0);
      if (changes > limit) return undefined;
      past.push(...wanted);
      upTo = news.upTo;
    }
    return past;
  } finally {
    stream.close();
  }
}
