import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { traceServerState } from "../diagnostics/server-channels.js";
import { AbortError } from "../errors/abort-error.js";
import { ClusterUnavailableError } from "../errors/cluster-errors.js";
import type { CallOptions } from "../key-space/call-options.js";
import type { Changes, Resync } from "../key-space/subscription.js";
import { offAbort, onAbort } from "../stream/on-abort.js";
import type { Clock } from "../time/clock.js";
import { sleep } from "../time/sleep.js";
import type { Census, Claims } from "./claims.js";
import { type CutoverRecords, StateChangedError, stateIn } from "./cutover-records.js";
import type { StoredState } from "./cutover-state.js";

/** Seconds after which etcd removes a registration that is not renewed. */
const TTL_S = 10;
/** Milliseconds after which a gateway itself no longer relies on its registration. */
const VALID_MS = 7_000;
const RENEW_MS = 2_000;
const RETRY_MS = 500;
/** Time for requests on v2 to end before a gateway says that it holds. */
const DRAIN_MS = 500;
/** Time after the hold in which its own process may still end it. */
const ABORT_AFTER_MS = 500;
/** How long a request waits while it is not known which cluster serves. */
const WAIT_MS = 10_000;

/** Where a gateway serves from. */
export type Side =
  | { readonly from: "source" }
  | { readonly from: "target"; readonly state: StoredState };

/** What a gateway tells about itself, and does at the cut-over. */
export interface MembershipSettings {
  readonly clock: Clock;
  /** ID of the v2 cluster; empty: not known yet. */
  clusterId(): string;
  /** Hidden keys that clients have asked for. */
  hidden(): readonly string[];
  /** Keys to which a refresh may have given their first TTL lately. */
  givenTtls(): readonly string[];
  /** Why this gateway cannot switch; empty: it can. */
  problem(): string;
  /** The writes of this gateway that a census asks for. */
  claims(census: Census): Claims;
  /** Resolves when nothing that was sent to a cluster waits for its response. */
  drained(): Promise<void>;
  /** Called when the state has changed, before anything else sees that. */
  onState(state: StoredState | null | undefined): void;
}

const SOURCE: Side = { from: "source" };

/**
 * The part of one gateway in a cut-over. It keeps a registration on v3, follows the state, and knows which cluster the
 * gateway may serve from at this moment.
 */
export class CutoverMembership {
  #id = randomUUID();
  readonly #records: CutoverRecords;
  readonly #settings: MembershipSettings;
  readonly #closing = new AbortController();
  /**
   * The state as it was last read. `null`: there is none, so v3 is not needed. `undefined`: not known yet, or no longer.
   */
  #view: StoredState | null | undefined;
  /** Revision of the state that this gateway follows. */
  #acknowledged = 0;
  /** Clocks until which the registration is certain. */
  #sureUntil = { monotonic: 0, wall: 0 };
  #failure: Error | undefined;
  /** Monotonic time at which the last failed attempt to register began. */
  #failedAttemptAt = 0;
  #url = "";
  /** Whether something has changed since the last registration began. */
  #isOutdated = false;
  #wake: () => void = () => {};
  #isClaiming = false;
  #cancelAbort: () => void = () => {};
  readonly #waiting = new Set<() => void>();

  constructor(records: CutoverRecords, settings: MembershipSettings) {
    this.#records = records;
    this.#settings = settings;
  }

  /** Begins to register. @param url at which the gateway listens */
  start(url: string): void {
    const { signal } = this.#closing;
    this.#url = url;
    void this.#keepRegistered(signal).catch(() => {});
    void this.#follow(signal).catch(() => {});
  }

  /** The state that this gateway follows; `null`: there is none. */
  get state(): StoredState | null | undefined {
    return this.#view;
  }

  /** How often gateways have changed to the other cluster, as far as this one knows. */
  get switches(): number {
    return this.#view?.switches ?? 0;
  }

  /** Last failure to register, if the last attempt failed. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Which cluster serves now; `undefined`: none, for now. */
  get side(): Side | undefined {
    const view = this.#view;
    if (view === null || view?.phase === "returned") return SOURCE;
    if (view?.phase === "target") {
      return this.#isSure || this.#isUnreachable ? { from: "target", state: view } : undefined;
    }
    const isPrepared = view?.phase === "arming" || view?.phase === "armed";
    return isPrepared && this.#isSure ? SOURCE : undefined;
  }

  /**
   * Waits until a cluster serves.
   *
   * @throws ClusterUnavailableError when that takes too long; AbortError
   */
  async decided(operation: string, signal: AbortSignal | undefined): Promise<Side> {
    const { clock } = this.#settings;
    const deadline = clock.monotonic() + WAIT_MS + (this.#view?.hold ?? 0);
    for (;;) {
      const { side } = this;
      if (side !== undefined) return side;
      if (signal?.aborted === true) throw new AbortError(operation, signal.reason, "none");
      const left = deadline - clock.monotonic();
      if (left <= 0 || this.#closing.signal.aborted) throw this.#unavailable(operation);
      await this.#changed(left, signal);
    }
  }

  /**
   * Waits until it is certain whether what v3 has responded so far counts. Without a certain registration, the state is read:
   * as long as v3 serves, everything before that read counts.
   *
   * @throws ClusterUnavailableError when that takes too long, and the errors of the read
   */
  async confirmed(operation: string): Promise<Side> {
    const view = this.#view;
    if (view?.phase === "target" && !this.#isSure) {
      const state = await this.#records.read({ attemptTimeout: RENEW_MS });
      // A state that is missing was lost.
      if (state === undefined) return { from: "target", state: view };
      const isSame = state.phase === "target" && state.switches === view.switches;
      if (isSame) return { from: "target", state: view };
      this.#take(state, true);
    }
    return await this.decided(operation, undefined);
  }

  /** Registers again at once. */
  renew(): void {
    this.#isOutdated = true;
    this.#wake();
  }

  /** Ends the registration. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("the gateway was closed"));
    this.#cancelAbort();
    this.#notify();
    // Otherwise a cut-over would wait for the end of the registration.
    const unregistered = this.#records.unregister(this.#id).catch(() => {});
    await Promise.race([unregistered, sleep(RETRY_MS, this.#settings.clock, undefined)]);
    await this.#records.keySpace.close();
  }

  #unavailable(operation: string): ClusterUnavailableError {
    const cause = this.#failure ?? new Error("the cut-over is in progress");
    const endpoint = "the v3 cluster of the cut-over";
    return new ClusterUnavailableError(operation, [{ endpoint, cause, when: new Date() }]);
  }

  #changed(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel();
        offAbort(signal, finish);
        this.#waiting.delete(finish);
        resolve();
      };
      // The registration may end or become certain meanwhile.
      const cancel = this.#settings.clock.after(Math.min(milliseconds, RETRY_MS), finish);
      this.#waiting.add(finish);
      if (signal !== undefined) onAbort(signal, finish);
    });
  }

  #notify(): void {
    for (const finish of [...this.#waiting]) finish();
  }

  /**
   * Whether v3 has not responded since the registration became uncertain. It can still serve some reads without a quorum. A
   * failure from before that can have its reason in this process, which was stopped.
   */
  get #isUnreachable(): boolean {
    return this.#failure !== undefined && this.#failedAttemptAt >= this.#sureUntil.monotonic;
  }

  /** Wall time too: the monotonic clock stands still while a machine is suspended. */
  get #isSure(): boolean {
    const { monotonic, wall } = this.#sureUntil;
    const { clock } = this.#settings;
    return clock.monotonic() < monotonic && clock.now() < wall && clock.now() > wall - 2 * VALID_MS;
  }

  async #keepRegistered(signal: AbortSignal): Promise<never> {
    for (;;) {
      signal.throwIfAborted();
      this.#isOutdated = false;
      const wait = (await this.#register(signal)) ? RENEW_MS : RETRY_MS;
      if (!this.#isOutdated) await this.#pause(wait, signal);
    }
  }

  /** @returns whether it succeeded */
  async #register(signal: AbortSignal): Promise<boolean> {
    const { clock, clusterId, hidden, givenTtls, problem } = this.#settings;
    const [monotonic, wall] = [clock.monotonic(), clock.now()];
    this.#loseUnlessSure();
    const registration = {
      ...{ host: `${hostname()}/${process.pid}`, url: this.#url, clusterId: clusterId() },
      ...{ acknowledged: this.#acknowledged, hidden: hidden() },
      ...{ givenTtls: givenTtls(), problem: problem() },
    };
    try {
      const call = { signal, attemptTimeout: RENEW_MS };
      await this.#records.register(this.#id, registration, TTL_S, call);
      // Also when the state is known: the watch may have ended.
      const { state, at } = await this.#records.readAt(call);
      // The registration before may have ended meanwhile. This one is certain only now, because the state is known.
      this.#loseUnlessSure();
      this.#sureUntil = { monotonic: monotonic + VALID_MS, wall: wall + VALID_MS };
      if (!this.#isSure) this.#loseUnlessSure();
      else if (state === undefined) this.#forget(at);
      else this.#take(state, true);
      if (this.#failure !== undefined) this.#trace("restored");
      this.#failure = undefined;
      void this.#claim(call);
      return true;
    } catch (error) {
      if (error instanceof Error && !signal.aborted) {
        if (this.#failure === undefined) this.#trace("lost", error);
        this.#failure = error;
        this.#failedAttemptAt = monotonic;
      }
      // The failed one may still arrive, with a lease that ends earlier than a later one.
      this.#id = randomUUID();
      return false;
    }
  }

  /** Responds to a census, if there is one. */
  async #claim(call: CallOptions): Promise<void> {
    if (this.#isClaiming) return;
    this.#isClaiming = true;
    try {
      const census = await this.#records.census(call);
      if (census === undefined) return;
      await this.#records.claim(this.#id, this.#settings.claims(census), TTL_S, call);
    } catch {
      // The census then waits for the next one.
    } finally {
      this.#isClaiming = false;
    }
  }

  /** Whatever was read before the registration ended says nothing about now. */
  #loseUnlessSure(): void {
    const view = this.#view;
    if (view == null || isLasting(view) || this.#isSure) return;
    this.#acknowledged = 0;
    this.#set(undefined);
  }

  #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    const waking = new AbortController();
    const wake = (): void => waking.abort();
    this.#wake = wake;
    onAbort(signal, wake);
    return sleep(milliseconds, this.#settings.clock, waking.signal)
      .catch(() => {})
      .finally(() => offAbort(signal, wake));
  }

  /** Learns of changes at once. The registration reads the state too. */
  async #follow(signal: AbortSignal): Promise<never> {
    for (;;) {
      signal.throwIfAborted();
      try {
        for await (const item of this.#records.watchState(signal)) this.#takeAll(item);
      } catch {
        // The registration fails for the same reason, and reports it.
      }
      await sleep(RENEW_MS, this.#settings.clock, signal);
    }
  }

  #takeAll(item: Changes | Resync): void {
    // What was seen before the registration says nothing.
    if (this.#view === undefined) return;
    const nodes = item.type === "changes" ? item.changes.map(({ node }) => node) : [];
    if (item.type === "resync") {
      if (item.response === null) this.#forget(item.index);
      else nodes.push(item.response.node);
    }
    for (const node of nodes) {
      if (node.value === undefined) this.#forget(node.modifiedIndex);
      else this.#take(stateIn(node), false);
    }
  }

  /** There was no state at a revision. */
  #forget(revision: number): void {
    const view = this.#view;
    // After a switch, a state that is missing was lost.
    const isKept = view === null || view?.phase === "target" || view?.phase === "returning";
    if (isKept || revision < (view?.revision ?? 0)) return;
    this.#acknowledged = 0;
    this.#set(null);
  }

  #set(state: StoredState | null | undefined): void {
    this.#view = state;
    this.#cancelAbort();
    this.#settings.onState(state);
    this.#notify();
  }

  /** @param isRead whether it was read after the registration, and not delivered by a watch */
  #take(state: StoredState, isRead: boolean): void {
    const before = this.#view;
    if (before === undefined && !isRead) return;
    if (before != null && state.revision <= before.revision) return;
    // A watch may deliver the first state before this gateway is registered.
    if ((before === null || before?.phase === "returned") && !this.#isSure) {
      this.#view = undefined;
      this.renew();
      return;
    }
    this.#set(state);
    traceServerState({ kind: "cutover", event: state.phase });
    if (state.phase === "holding" || state.phase === "returning") void this.#hold(state);
    else this.#acknowledge(state);
  }

  async #hold(state: StoredState): Promise<void> {
    const { clock, drained } = this.#settings;
    this.#cancelAbort = clock.after(state.hold + ABORT_AFTER_MS, () => void this.#abort(state));
    const { signal } = this.#closing;
    await Promise.race([drained(), sleep(DRAIN_MS, clock, signal).catch(() => {})]);
    if (this.#view === state) this.#acknowledge(state);
  }

  #acknowledge({ revision }: StoredState): void {
    this.#acknowledged = revision;
    this.renew();
  }

  /** The process that should have decided may have stopped. */
  async #abort(state: StoredState): Promise<void> {
    try {
      const phase = state.phase === "returning" ? "target" : "armed";
      this.#take(await this.#records.change(state, { ...state, phase }), false);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (error instanceof StateChangedError) return this.renew();
      this.#cancelAbort = this.#settings.clock.after(RETRY_MS, () => void this.#abort(state));
    }
  }

  #trace(event: "lost" | "restored", cause?: Error): void {
    traceServerState({ kind: "cutover", event, cause });
  }
}

/** Whether a gateway that cannot reach v3 goes on as before. */
function isLasting({ phase }: StoredState): boolean {
  return phase === "target" || phase === "returned";
}
