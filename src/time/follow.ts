import { onAbort } from "../stream/on-abort.js";

/** A signal that follows others until it is let go. */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  /** Stops following: nothing stays behind on the others, as it would with `AbortSignal.any`. */
  unlink(): void;
}

export function linkSignals(...leaders: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const follower = new AbortController();
  const links = leaders.flatMap((leader) => {
    if (leader === undefined) return [];
    const pass = (): void => follower.abort(leader.reason);
    if (leader.aborted) pass();
    else onAbort(leader, pass);
    return [() => leader.removeEventListener("abort", pass)];
  });
  return {
    signal: follower.signal,
    unlink: () => {
      for (const unlink of links) unlink();
    },
  };
}
