import { OutcomeUnknownError } from "../errors/cluster-errors.js";
import { CutoverError } from "../errors/cutover-error.js";
import type { GuardLostError } from "../etcd3/guarded-v3-api.js";
import { isRetryable } from "../key-space/shared/is-retryable.js";
import { sleep } from "../time/sleep.js";
import { notAcknowledged, orChanged, undo } from "./arm.js";
import { type RegisteredGateway, StateChangedError } from "./cutover-records.js";
import {
  type CutoverPhase,
  type CutoverState,
  encodeState,
  type StoredState,
} from "./cutover-state.js";
import type { GivenTtlCollector } from "./given-ttl-collector.js";
import type { CutoverTarget } from "./open-target.js";

const POLL_MS = 20;

export interface HoldSettings {
  readonly given: GivenTtlCollector;
  /** How errors begin. */
  readonly failure: string;
  /** Called when the gateways begin to hold requests. */
  readonly onHold: (() => void) | undefined;
  /** Checks the gateways that have acknowledged. */
  check(gateways: readonly RegisteredGateway[]): void;
}

/** The time in which gateways hold requests, until a decision. */
export class Hold {
  readonly #target: CutoverTarget;
  readonly #settings: HoldSettings;
  readonly #before: StoredState;
  #state: StoredState;
  #heldAt = 0;

  /** @param state to which an end without a decision leads back */
  constructor(target: CutoverTarget, state: StoredState, settings: HoldSettings) {
    this.#target = target;
    this.#settings = settings;
    this.#before = state;
    this.#state = state;
  }

  get state(): StoredState {
    return this.#state;
  }

  /** @throws CutoverError when another process has changed the state */
  async begin(phase: CutoverPhase): Promise<void> {
    const { records, guard, clock } = this.#target;
    this.#heldAt = clock.monotonic();
    this.#state = await orChanged(records.change(this.#before, { ...this.#before, phase }));
    guard.follow(this.#state);
    this.#settings.onHold?.();
  }

  /** Waits until every gateway holds its requests. @throws CutoverError */
  async acknowledged(): Promise<void> {
    const { records, clock } = this.#target;
    const { given, check, failure } = this.#settings;
    for (;;) {
      const readAt = clock.monotonic();
      const gateways = await records.gateways();
      given.take(gateways, readAt);
      const late = gateways.filter(({ acknowledged }) => acknowledged !== this.#state.revision);
      if (late.length === 0) return check(gateways);
      if (clock.monotonic() - this.#heldAt > this.#state.hold) {
        throw new CutoverError(`${failure}: ${notAcknowledged(late)} within the hold`);
      }
      await sleep(POLL_MS, clock, undefined);
    }
  }

  /**
   * @param returnedAt index of v2 at a return to it
   * @returns milliseconds since the begin
   * @throws CutoverError when the hold was ended before
   */
  async decide(phase: CutoverPhase, end: number, returnedAt = 0): Promise<number> {
    const { guard, clock } = this.#target;
    const holding = this.#state;
    const deadline = clock.monotonic() + holding.hold;
    const switches = holding.switches + 1;
    const next: CutoverState = { ...holding, phase, end, switches, switchedAt: 0, returnedAt };
    let unknown: OutcomeUnknownError | undefined;
    for (;;) {
      try {
        this.#state = await this.#changed(holding, next);
        break;
      } catch (error) {
        if (error instanceof CutoverError) throw error;
        if (error instanceof OutcomeUnknownError) unknown = error;
        const isLast = clock.monotonic() > deadline;
        // That a later attempt has certainly not been carried out says nothing about an earlier one.
        if (isLast || (error !== unknown && !isRetryable(error))) throw unknown ?? error;
        await sleep(POLL_MS, clock, undefined);
      }
    }
    guard.follow(this.#state);
    return clock.monotonic() - this.#heldAt;
  }

  /** Changes the state, or finds that an earlier attempt has. @throws CutoverError when the hold was ended before */
  async #changed(holding: StoredState, next: CutoverState): Promise<StoredState> {
    const { records } = this.#target;
    try {
      return await records.change(holding, next);
    } catch (error) {
      if (!(error instanceof StateChangedError)) throw error;
      const now = await records.read();
      if (now === undefined || encodeState(now) !== encodeState(next)) throw this.tookTooLong();
      return now;
    }
  }

  /** Ends it as if the last step had failed. @returns milliseconds since the begin @throws CutoverError */
  async release(): Promise<number> {
    const { records, clock } = this.#target;
    const { phase } = this.#before;
    try {
      this.#state = await records.change(this.#state, { ...this.#state, phase });
    } catch (error) {
      throw error instanceof StateChangedError ? this.tookTooLong() : error;
    }
    return clock.monotonic() - this.#heldAt;
  }

  /** Lets the gateways go on as before, if they hold. They do so themselves at the end of the hold. */
  async abort(): Promise<void> {
    const { phase } = this.#before;
    const state = this.#state;
    const isHolding = state.phase === "holding" || state.phase === "returning";
    if (isHolding) await undo(() => this.#target.records.change(state, { ...state, phase }));
  }

  /** Why nothing can be written to v3 any more. */
  async whyLost(cause: GuardLostError): Promise<CutoverError> {
    const state = await this.#target.records.read();
    const { phase, revision } = this.#before;
    // The state of before itself: the hold has not begun.
    const isReleased = state?.phase === phase && state.revision !== revision;
    return isReleased ? this.tookTooLong() : new CutoverError(cause.message, { cause });
  }

  tookTooLong(): CutoverError {
    const { failure } = this.#settings;
    return new CutoverError(
      `${failure}: the last changes and TTLs took longer than the hold; run it again, or choose a longer hold`,
    );
  }
}
