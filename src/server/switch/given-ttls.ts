import { OutcomeUnknownError } from "../../errors/cluster-errors.js";
import { pathOf } from "../../key-space/shared/path.js";
import type { KeyRequest } from "../../model/key-request.js";
import type { Clock } from "../../time/clock.js";
import type { Outcome } from "./outcome.js";

/** How long they are reported. The process that copies asks every few seconds. */
const REPORTED_MS = 60_000;
const MAX_REPORTED = 500;
/** Longer ones would make the report too large. */
const MAX_LENGTH = 1_000;

/**
 * Nodes to which a refresh has given their first TTL. v2 tells nobody: a refresh has no event. The refresh of a node that has
 * a TTL need not be reported, because all known TTLs are read again at the end of v2.
 */
export class GivenTtls {
  readonly #clock: Clock;
  readonly #onNew: () => void;
  /** Monotonic time of the last one, by path. */
  readonly #given = new Map<string, number>();
  /** Refreshes that wait for their response, by path. */
  readonly #sent = new Map<string, number>();
  /** Monotonic time at which one could not be reported. */
  #omittedAt = Number.NEGATIVE_INFINITY;

  /** @param onNew called when there is another one to report */
  constructor(clock: Clock, onNew: () => void) {
    this.#clock = clock;
    this.#onNew = onNew;
  }

  /** Called when a request is sent to v2. @returns to be called with its outcome */
  send(request: KeyRequest): (outcome: Outcome) => void {
    if (!("refresh" in request) || request.refresh !== true) return () => {};
    const path = pathOf(request.key);
    this.#sent.set(path, (this.#sent.get(path) ?? 0) + 1);
    return (outcome) => {
      const others = (this.#sent.get(path) ?? 1) - 1;
      if (others === 0) this.#sent.delete(path);
      else this.#sent.set(path, others);
      if (mayHaveGiven(outcome)) this.#add(path);
    };
  }

  /** The latest ones, and those for which it is not known yet. */
  get paths(): readonly string[] {
    this.#forget();
    return [...new Set([...this.#given.keys(), ...this.#sent.keys()])].slice(0, MAX_REPORTED);
  }

  /** Whether some are not in {@link paths}. */
  get isIncomplete(): boolean {
    this.#forget();
    const isOmitted = this.#clock.monotonic() - this.#omittedAt < REPORTED_MS;
    return isOmitted || this.#given.size + this.#sent.size > MAX_REPORTED;
  }

  #add(path: string): void {
    this.#forget();
    const isFull = this.#given.size >= MAX_REPORTED && !this.#given.has(path);
    if (path.length > MAX_LENGTH || isFull) {
      this.#omittedAt = this.#clock.monotonic();
      return;
    }
    const isKnown = this.#given.delete(path);
    // At the end of the order.
    this.#given.set(path, this.#clock.monotonic());
    if (!isKnown) this.#onNew();
  }

  #forget(): void {
    const until = this.#clock.monotonic() - REPORTED_MS;
    for (const [path, at] of this.#given) {
      if (at > until) return;
      this.#given.delete(path);
    }
  }
}

function mayHaveGiven(outcome: Outcome): boolean {
  if ("error" in outcome) return outcome.error instanceof OutcomeUnknownError;
  return outcome.response.prevNode?.ttl === undefined;
}
