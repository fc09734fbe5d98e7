/** Counts what the clients did. Pure: the facts come from etcd's own state and from the clients' lines. */

/** A write whose response was cut off after etcd applied it. */
export interface WriteFacts {
  /** How often etcd applied the write. */
  readonly applied: number;
  /** The client's error; absent if it reported success. */
  readonly error?: string;
}

export interface WriteVerdict {
  readonly of: number;
  /** Writes that etcd applied more than once. */
  readonly twice: number;
  /** Writes that stand, reported with an error that does not say that the outcome is unknown. */
  readonly failedButStand: number;
}

/** What a client reported about its watch. */
export interface Notice {
  readonly kind: "error" | "resync" | "connection";
  readonly text: string;
}

/** A watch during which a fault began and ended. */
export interface WatchFacts {
  /** Values that were written during the fault. Each one is unique. */
  readonly written: readonly string[];
  readonly delivered: readonly string[];
  /** What the client reported since the fault began. */
  readonly notices: readonly Notice[];
}

export interface WatchVerdict {
  readonly of: number;
  /** Events that were not delivered, while the client reported neither an error nor a loss. */
  readonly lostSilently: number;
  /** Events that were not delivered, and the client reported an error or a loss. */
  readonly lostAndTold: number;
}

/** A call on a connection that hangs. */
export interface CallFacts {
  /** Milliseconds until the call ended; absent if it did not end within the limit. */
  readonly endedAfter?: number;
}

export interface CallVerdict {
  readonly of: number;
  readonly neverEnded: number;
  /** Milliseconds of the slowest call that ended; 0 if none did. */
  readonly slowest: number;
}

const SAYS_UNKNOWN = /outcome|(?:may|might|could) (?:still )?(?:have|be)|whether/i;

/** Whether the text of an error says that the write may have been applied. */
export function saysUnknown(text: string): boolean {
  return SAYS_UNKNOWN.test(text);
}

export function judgeWrites(writes: readonly WriteFacts[]): WriteVerdict {
  const unapplied = writes.findIndex(({ applied }) => applied === 0);
  if (unapplied >= 0) {
    throw new Error(`write ${unapplied} was not applied: the fault did not do what it is for`);
  }
  return {
    of: writes.length,
    twice: writes.filter(({ applied }) => applied > 1).length,
    failedButStand: writes.filter(({ error }) => error !== undefined && !saysUnknown(error)).length,
  };
}

export function judgeWatch({ written, delivered, notices }: WatchFacts): WatchVerdict {
  const seen = new Set(delivered);
  const lost = written.filter((value) => !seen.has(value)).length;
  const isTold = notices.some(tellsOfLoss);
  return {
    of: written.length,
    lostSilently: isTold ? 0 : lost,
    lostAndTold: isTold ? lost : 0,
  };
}

/** A report about the connection alone also comes when nothing is lost. */
export function tellsOfLoss({ kind }: Notice): boolean {
  return kind !== "connection";
}

export function judgeCalls(calls: readonly CallFacts[]): CallVerdict {
  const times = calls.flatMap(({ endedAfter }) => endedAfter ?? []);
  return {
    of: calls.length,
    neverEnded: calls.length - times.length,
    slowest: Math.max(0, ...times),
  };
}
