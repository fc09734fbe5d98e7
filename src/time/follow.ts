import { onAbort } from "../stream/on-abort.js";

/** A signal that follows others until it is let go. */
export interface Follower {
  readonly signal: AbortSignal;
  /** Stops following: nothing stays behind on the others, as it would with `AbortSignal.any`. */
  letGo(): void;
}

export function follow(...leaders: readonly (AbortSignal | undefined)[]): Follower {
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
    letGo: () => {
      for (const unlink of links) unlink();
    },
  };
}
