import { PartTooLongError } from "../../../cluster/exchange/body-decoder.js";
import { ProtocolError } from "../../../errors/cluster-errors.js";
import type { KeyRange } from "../../../etcd3/transaction.js";
import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import type { Clock } from "../../../time/clock.js";
import { sleep } from "../../../time/sleep.js";
import { isRetryable } from "../../shared/is-retryable.js";
import { nextBeforeSilence } from "../watch/next-before-silence.js";
import { type Revision, RevisionStream, type StreamStart } from "../watch/revision-stream.js";

/** The revisions to read: after one, up to another one. */
export interface Span {
  /** Revision that the store still holds. */
  readonly after: number;
  readonly upTo: number;
}

/** The keys whose changes are read. */
export interface TracedKeys {
  /** A range with all of them. It may have other keys. */
  readonly range: KeyRange;
  /** Whether a key of the range is one of them. */
  includes(key: Buffer): boolean;
  /**
   * A range with `range` in which something has changed in the span: `range` itself, if that is known
   * of one of the keys.
   */
  changingRange(): Promise<KeyRange>;
  /** Whether a revision of the range has few changes, but their values may be large. */
  readonly isNarrow: boolean;
  /** Revision of the span after which none of the keys has changed. */
  readonly last: number;
}

/**
 * Number of revisions that etcd puts at most into a message of a watch that reads the past. A message
 * with less is complete: it has all changes of its range up to the revision of the store.
 */
export const MAX_REVISIONS_PER_MESSAGE = 1_000;
/** Milliseconds without a byte after which a member counts as failed. It may have to read a long history. */
const SILENCE_TIMEOUT_MS = 60_000;
/** Milliseconds before the same revisions are requested again. */
const PAUSE_MS = 100;
/** Consecutive failures of members after which reading fails. */
const MAX_FAILURES = 5;

/**
 * Reads the changes of keys of etcd, in order, through watches of their range: etcd sends nothing else,
 * although it searches all revisions of the span.
 *
 * A watch never says that nothing follows. So each one begins where a change is known to exist, and is
 * read up to the end of its first message.
 *
 * @throws Compacted, AbortError, and the errors of a watch
 */
export async function* changesOf(
  api: V3Api,
  traced: TracedKeys,
  span: Span,
  clock: Clock,
  call: V3Call,
): AsyncGenerator<Revision, undefined, undefined> {
  if (traced.last <= span.after) return;
  let range = await traced.changingRange();
  let read = span.after;
  /** At this revision or later, something in `range` has changed. */
  let from = span.after + 1;
  // etcd needs a time that grows with the square of their number for changes that fit into a fragment.
  let inFragments = traced.isNarrow;
  let failures = 0;
  while (read < span.upTo) {
    const [begun, watched] = [read, range];
    try {
      for await (const part of firstMessage(api, watched, { from, inFragments }, clock, call)) {
        for (const { number, changes } of part.revisions) {
          if (number > span.upTo) break;
          const own = changes.filter(({ kv }) => traced.includes(kv.key));
          if (own.length > 0) range = traced.range;
          // Only a change of one of the keys is known to be in the smaller range. Also for one that was read: a whole
          // message can be of other keys in it.
          if (own.length > 0 || range === watched) from = number;
          if (number <= read) continue;
          read = number;
          if (own.length > 0) yield { number, changes: own };
        }
        if (part.provenUpTo >= traced.last) return;
      }
      failures = 0;
      if (read === begun) await sleep(PAUSE_MS, clock, call.signal);
    } catch (error) {
      if (error instanceof PartTooLongError && !inFragments) {
        inFragments = true;
        continue;
      }
      if (!isRetryable(error) || ++failures > MAX_FAILURES) throw error;
      await sleep(PAUSE_MS, clock, call.signal);
    }
  }
}

/** A part of a message, and the revision up to which the parts so far are all changes of the range. */
interface MessagePart {
  readonly revisions: readonly Revision[];
  readonly provenUpTo: number;
}

/** The first message with changes, in fragments if it may be too large. */
async function* firstMessage(
  api: V3Api,
  range: KeyRange,
  start: StreamStart,
  clock: Clock,
  call: V3Call,
): AsyncGenerator<MessagePart, void, undefined> {
  const stream = await RevisionStream.open(api, range, start, call);
  try {
    for (let count = 0; ; ) {
      const part = await nextBeforeSilence(stream, SILENCE_TIMEOUT_MS, clock, call);
      if (part === undefined || part === "silence") {
        throw new ProtocolError(`${call.operation}: the response ended or stalled`);
      }
      const { revisions, upTo, storeRevision } = part;
      count += revisions.length;
      if (count === 0) continue;
      const isComplete = storeRevision !== undefined && count < MAX_REVISIONS_PER_MESSAGE;
      yield { revisions, provenUpTo: isComplete ? storeRevision : upTo };
      if (storeRevision !== undefined) return;
    }
  } finally {
    stream.close();
  }
}
