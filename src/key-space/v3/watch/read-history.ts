import { PartTooLongError } from "../../../cluster/exchange/body-decoder.js";
import { ProtocolError } from "../../../errors/cluster-errors.js";
import type { KeyRange } from "../../../etcd3/transaction.js";
import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import type { Clock } from "../../../time/clock.js";
import { nextBeforeSilence } from "./next-before-silence.js";
import { Compacted, type Revision, RevisionStream } from "./revision-stream.js";

/** The range to read. */
export interface PastRange {
  /** First revision. */
  readonly from: number;
  /**
   * Revision before which the range ends. Something in the key range must have changed at it or
   * later.
   */
  readonly to: number;
  /** Maximum number of changes. */
  readonly limit: number;
}

/** Milliseconds without a byte after which the response counts as broken. */
const SILENCE_TIMEOUT_MS = 10_000;

/**
 * Reads past revisions through a watch of its own. Returns `undefined` when there are more changes
 * than the limit, or etcd has compacted them.
 *
 * @throws ClusterUnavailableError, AbortError, ProtocolError
 */
export async function readHistory(
  api: V3Api,
  range: KeyRange,
  past: PastRange,
  clock: Clock,
  call: V3Call,
): Promise<readonly Revision[] | undefined> {
  try {
    return await read(api, range, past, clock, call);
  } catch (error) {
    if (error instanceof Compacted || error instanceof PartTooLongError) return undefined;
    throw error;
  }
}

async function read(
  api: V3Api,
  range: KeyRange,
  { from, to, limit }: PastRange,
  clock: Clock,
  call: V3Call,
): Promise<readonly Revision[] | undefined> {
  const stream = await RevisionStream.open(api, range, { from }, call);
  const past: Revision[] = [];
  let changes = 0;
  try {
    for (let upTo = from - 1; upTo < to - 1; ) {
      const response = await nextBeforeSilence(stream, SILENCE_TIMEOUT_MS, clock, call);
      if (response === undefined || response === "silence") {
        throw new ProtocolError(
          `${call.operation}: the response ended or stalled before the requested history was complete`,
        );
      }
      const wanted = response.revisions.filter(({ number }) => number < to);
      changes += wanted.reduce((sum, revision) => sum + revision.changes.length, 0);
      if (changes > limit) return undefined;
      past.push(...wanted);
      upTo = response.upTo;
    }
    return past;
  } finally {
    stream.close();
  }
}
