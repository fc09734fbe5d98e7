import { ProtocolError } from "../../../errors/cluster-errors.js";
import type { Clock } from "../../../time/clock.js";
import type { KeyRange } from "../key-layout.js";
import type { V3Api, V3Call } from "../v3-api.js";
import { type Revision, RevisionStream } from "./revision-stream.js";

/** What is to be read again. */
export interface Past {
  /** First revision. */
  readonly from: number;
  /** Revision before which it ends. */
  readonly to: number;
  /** Revisions with changes that are taken at most. */
  readonly limit: number;
  /** Whether something is known to have changed at `to` or after it, which marks the end. */
  readonly isMarked: boolean;
}

/** Milliseconds of silence that pass for the end where nothing marks it, else for a failure. */
const SILENCE = 2_000;

/**
 * Revisions of the past, `undefined` when there are more than the limit.
 *
 * @throws Compacted, ClusterUnavailableError, AbortError
 */
export async function reachBack(
  api: V3Api,
  range: KeyRange,
  { from, to, limit, isMarked }: Past,
  clock: Clock,
  call: V3Call,
): Promise<readonly Revision[] | undefined> {
  const stream = await RevisionStream.open(api, range, from, call);
  const past: Revision[] = [];
  try {
    for (let upTo = from - 1; upTo < to - 1; ) {
      const cancel = clock.after(SILENCE, () => stream.close());
      const news = await stream.next(call).finally(cancel);
      if (news === undefined && isMarked) throw new ProtocolError(`${call.operation}: broke off`);
      if (news === undefined) break;
      past.push(...news.revisions.filter(({ number }) => number < to));
      if (past.length > limit) return undefined;
      upTo = news.upTo;
    }
    return past;
  } finally {
    stream.close();
  }
}
