import { type Census, type Claims, OwnWrites } from "../../cutover/claims.js";
import type { StoredState } from "../../cutover/cutover-state.js";
import { hiddenPrefixes } from "../../cutover/hidden-prefixes.js";
import type { CutoverMembership, Side } from "../../cutover/membership.js";
import { OutcomeUnknownError } from "../../errors/cluster-errors.js";
import { KeyNotFoundError, NotDirError } from "../../errors/common-errors.js";
import { errorDefinition, serverErrorOf } from "../../errors/error-table.js";
import { EtcdCommonError } from "../../errors/server-error.js";
import type { KeyWatch } from "../../key-space/key-space.js";
import { historyCleared } from "../../key-space/shared/history-cleared.js";
import { pathOf } from "../../key-space/shared/path.js";
import { unusedKey } from "../../key-space/shared/read-state.js";
import type { V3KeySpace } from "../../key-space/v3/v3-key-space.js";
import { type KeyRequest, operationOf, type WatchRequest } from "../../model/key-request.js";
import type { EtcdResponse } from "../../model/response.js";
import type { ServedKeys } from "../routes/keys-route.js";
import type { SourceCluster } from "../source/source-cluster.js";
import type { Caller } from "./caller.js";
import type { FollowedWatch } from "./cluster-events.js";
import { GivenTtls } from "./given-ttls.js";
import { LastEvents } from "./last-events.js";
import { LateChanges } from "./late-changes.js";
import { isDecided, isFinal, type Outcome, resultOf } from "./outcome.js";
import { ShownClusters, type ShownClustersSettings } from "./shown-clusters.js";
import type { ShownKeys } from "./shown-keys.js";
import { shownWatch } from "./shown-watch.js";
import { SourceEvents } from "./source-events.js";
import { SwitchedWatch } from "./switched-watch.js";
import type { TargetLimits } from "./target-limits.js";
import { WatchPermissions } from "./watch-permissions.js";

/** Hidden keys that are named to the operator. */
const MAX_HIDDEN = 200;
/** Longer ones are not named; the operator can name them. */
const MAX_HIDDEN_LENGTH = 1_000;
/** Time for the last events of v2. */
const LAST_EVENTS_MS = 10_000;

/** The keys of a gateway that switches from v2 to v3. */
export class SwitchedKeys {
  readonly #source: SourceCluster;
  readonly #target: V3KeySpace;
  readonly #membership: CutoverMembership;
  readonly #limits: Pick<TargetLimits, "check">;
  readonly #shown: ShownClusters;
  readonly #events: SourceEvents;
  /** Hidden keys that clients have asked for, up to each hidden segment. */
  readonly #hidden = new Set<string>();
  /** The events of v3 before a return to v2, as soon as gateways hold for it. */
  #lastEvents: LastEvents | undefined;
  /** How often watches of v3 have ended because gateways hold. */
  #holds = 0;
  /** The clients of watches that continue after a switch. */
  readonly #callers = new WeakMap<SwitchedWatch, Caller>();
  /** Watches of v2 itself, in which others may continue. */
  readonly #direct = new WeakSet<KeyWatch>();
  readonly #closing = new AbortController();
  readonly #own = new OwnWrites();
  readonly #givenTtls: GivenTtls;
  readonly #permissions: WatchPermissions;
  /** After the switch. */
  #late: LateChanges | undefined;
  #lateEnding = new AbortController();
  #sent = 0;
  #onDrained: () => void = () => {};
  /** Resolves when all watches have switched. */
  #switched: Promise<void> | undefined;

  constructor(
    source: SourceCluster,
    target: V3KeySpace,
    membership: CutoverMembership,
    keptAt: ShownClustersSettings["keptAt"],
    limits: Pick<TargetLimits, "check">,
  ) {
    this.#source = source;
    this.#limits = limits;
    this.#target = target;
    this.#membership = membership;
    const { clock } = source.cluster;
    const indexOf = (revision: number) => target.indexOf(revision);
    const { signal: closing } = this.#closing;
    this.#shown = new ShownClusters({ keptAt, indexOf, clock, closing });
    this.#events = new SourceEvents({
      ...{ source, shown: this.#shown, closing },
      isServing: () => this.#isServing,
      hasSwitched: () => this.#switched !== undefined,
    });
    this.#permissions = new WatchPermissions(clock);
    this.#givenTtls = new GivenTtls(clock, () => membership.renew());
  }

  /** Begins to collect events of v2, as soon as it responds. Takes at most a few seconds. */
  start(): Promise<void> {
    return this.#events.start();
  }

  /** ID of the v2 cluster; empty: not known yet. */
  get clusterId(): string {
    return this.#events.clusterId;
  }

  get hidden(): readonly string[] {
    return [...this.#hidden];
  }

  /** Nodes to which refreshes may have given their first TTL lately. */
  get givenTtls(): readonly string[] {
    return this.#givenTtls.paths;
  }

  /** The writes of this gateway that a census asks for. */
  claims(census: Census): Omit<Claims, "clients"> {
    return this.#own.claims(census);
  }

  /** Changes of v2 after its end that this gateway has seen. */
  get lateChanges(): number {
    return this.#late?.count ?? 0;
  }

  /** Why the watches cannot switch; after the switch, what has happened on v2 since. Empty: nothing. */
  get problem(): string {
    if (this.#late !== undefined) return this.#late.text;
    if (this.#hidden.size >= MAX_HIDDEN) return `clients use more than ${MAX_HIDDEN} hidden keys`;
    if (this.#givenTtls.isIncomplete) {
      return "refreshes of clients have given a TTL to more than 500 keys in a minute";
    }
    return this.#events.problem;
  }

  /** Resolves when nothing that was sent to a cluster waits for its response. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrained = resolve;
      if (this.#sent === 0) resolve();
    });
  }

  /** The keys for a request that is decoded. */
  on(caller: Caller, signal: AbortSignal): ServedKeys {
    return {
      execute: (request) => this.#execute(caller, request, signal),
      openWatch: (request, options) => this.#openWatch(caller, request, options?.signal ?? signal),
    };
  }

  /** Called when the state of the cut-over has changed, or is not known any more. */
  follow(state: StoredState | null | undefined): void {
    if (state != null && state.switches !== this.#shown.switches) this.#changeCluster(state);
    if (state?.phase === "target") {
      this.#forgetLastEvents();
      this.#switched ??= this.#switchAll(state).catch(() => {});
      this.#watchLateChanges(state);
    } else if (state?.phase === "returning") {
      // What happens on v3 from now on may have no effect.
      this.#holds++;
      const delivered = this.#target.endWatches();
      this.#lastEvents ??= this.#collectLastEvents(state, delivered);
    } else if (this.#isServing) {
      this.#events.decided();
    } else {
      // Their clients then wait for the decision.
      this.#endDirect();
    }
  }

  /** Ends the watches that v2 serves itself. Their clients open them again. */
  #endDirect(): void {
    this.#source.watches.end(
      (watch) => watch instanceof SwitchedWatch && this.#direct.has(watch.current),
    );
  }

  #collectLastEvents(state: StoredState, delivered: number): LastEvents {
    const shown = this.#shown.onTarget(state);
    const { signal } = this.#closing;
    const keys = { keySpace: this.#target, hidden: this.hidden };
    return new LastEvents({ ...keys, delivered, shown, signal });
  }

  #forgetLastEvents(): void {
    this.#lastEvents?.close();
    this.#lastEvents = undefined;
  }

  get #limitOfLastEvents(): AbortSignal {
    return AbortSignal.any([this.#closing.signal, AbortSignal.timeout(LAST_EVENTS_MS)]);
  }

  close(): void {
    this.#forgetLastEvents();
    this.#closing.abort(new Error("the gateway was closed"));
    this.#events.close();
  }

  #endLateChanges(): void {
    this.#lateEnding.abort(new Error("changes of v2 are expected"));
    this.#late = undefined;
  }

  /** Called when gateways have changed to the other cluster, perhaps several times. */
  #changeCluster(state: StoredState): void {
    const { returns } = this.#shown;
    this.#shown.change(state);
    if (returns !== this.#shown.returns) this.#beginAgain(state.end);
  }

  /** As after the start of the gateway, because v2 serves again. @param end index up to which events of v3 count */
  #beginAgain(end: number): void {
    this.#holds++;
    this.#target.endWatches();
    this.#lastEvents?.endAt(end, this.#limitOfLastEvents);
    this.#endLateChanges();
    this.#switched = undefined;
    this.#events.beginAgain();
  }

  /**
   * What a cluster responds counts only if this gateway may still serve from it when it has the response. Otherwise it counts
   * up to the end of the cluster: what was carried out after that has no effect.
   */
  async #execute(
    caller: Caller,
    request: KeyRequest,
    signal: AbortSignal | undefined,
  ): Promise<EtcdResponse> {
    const operation = operationOf(request);
    const membership = this.#membership;
    for (;;) {
      const { side: before, switches } = membership;
      if (before === undefined) {
        // Several changes of the state may arrive together, so the side is read again with its number.
        await membership.decided(operation, signal);
        continue;
      }
      if (before.from === "source") {
        await this.#limits.check(request, membership.state, signal);
        // The state may have changed meanwhile.
        if (membership.side?.from !== "source" || membership.switches !== switches) continue;
      }
      const outcome =
        before.from === "target"
          ? await this.#outcome(request, () =>
              this.#executeOnTarget(caller, request, before.state, signal),
            )
          : await this.#outcome(request, () => this.#executeOnSource(caller, request, signal));
      if (before.from === "source") this.#claim(request, outcome);
      await this.#untilCertain(request, before, outcome);
      const since = membership.switches - switches;
      if (since === 0) {
        if (request.action !== "get" || this.#isCurrent(request, outcome)) return resultOf(outcome);
        return await this.#execute(caller, { ...request, quorum: true }, signal);
      }
      const end = since === 1 ? (membership.state?.end ?? 0) : 0;
      if (isFinal(outcome, request, end)) return resultOf(outcome);
      // A read, or a write that was not carried out.
      if (!("response" in outcome) || request.action === "get") continue;
      const cause = new Error(
        "it was carried out after the gateways have changed to the other cluster",
      );
      throw new OutcomeUnknownError(operation, outcome.response.etcdServer, cause);
    }
  }

  async #outcome(request: KeyRequest, execute: () => Promise<EtcdResponse>): Promise<Outcome> {
    this.#sent++;
    const settle = this.#givenTtls.send(request);
    const outcome = await execute().then(
      (response) => ({ response }),
      (error: unknown) => ({ error }),
    );
    settle(outcome);
    this.#noteKeyOf(request, outcome);
    if (--this.#sent === 0) this.#onDrained();
    return outcome;
  }

  /** Waits until it is known whether the response of a cluster counts. */
  async #untilCertain(request: KeyRequest, { from }: Side, outcome: Outcome): Promise<void> {
    const membership = this.#membership;
    const isLocal = request.action === "get" && request.quorum !== true;
    const operation = operationOf(request);
    try {
      if (from === "target" && !isLocal && isDecided(outcome))
        await membership.confirmed(operation);
      else if (membership.side === undefined) await membership.decided(operation, undefined);
    } catch (error) {
      if (request.action === "get" || !("response" in outcome)) throw error;
      const cause = error instanceof Error ? error : new Error(String(error));
      throw new OutcomeUnknownError(operation, outcome.response.etcdServer, cause);
    }
  }

  /** After a return to v2, a member of it that is behind may not have the copy of v3 yet. */
  #isCurrent(
    { quorum = false }: { readonly quorum?: boolean | undefined },
    outcome: Outcome,
  ): boolean {
    const index = quorum ? undefined : indexOf(outcome);
    return index === undefined || index >= this.#shown.returnedAt;
  }

  /** @param outcome on v2 */
  #claim({ action }: KeyRequest, outcome: Outcome): void {
    if (action === "get") return;
    if ("response" in outcome) this.#own.add(outcome.response.node.modifiedIndex);
    else if (outcome.error instanceof OutcomeUnknownError) this.#own.addUnknown();
  }

  /** A key that nobody has created needs no copy, whoever asks for it. */
  #noteKeyOf({ key }: KeyRequest, outcome: Outcome): void {
    if ("response" in outcome) this.#note(outcome.response.node.key);
    else if (!isAbsent(outcome.error)) this.#note(key);
  }

  #watchLateChanges({ end, switchedAt }: StoredState): void {
    // Since an attempt to return to v2 has begun, its changes are ours.
    if (switchedAt > 0) this.#endLateChanges();
    if (this.#late !== undefined || switchedAt > 0) return;
    const { keySpace, cluster } = this.#source;
    this.#late = new LateChanges(keySpace, end, cluster.clock);
    this.#lateEnding = new AbortController();
    const signal = AbortSignal.any([this.#closing.signal, this.#lateEnding.signal]);
    void this.#late.watch(signal).catch(() => {});
  }

  async #executeOnSource(
    caller: Caller,
    request: KeyRequest,
    signal: AbortSignal | undefined,
  ): Promise<EtcdResponse> {
    const execute = (each: KeyRequest) => caller.passed.execute(each);
    return await this.#shown.onSource().execute(request, execute, signal);
  }

  async #executeOnTarget(
    caller: Caller,
    request: KeyRequest,
    state: StoredState,
    signal: AbortSignal | undefined,
  ): Promise<EtcdResponse> {
    await requirePermission(caller, request.key, operationOf(request));
    const shown = await this.#shown.onTargetWithin(operationOf(request), state, signal);
    const execute = (each: KeyRequest) => this.#executeCurrent(each, shown.first, signal);
    const response = await shown.execute(request, execute, signal);
    return { ...response, etcdClusterId: state.clusterId };
  }

  /** A member of v3 that is behind may not have the copy yet. */
  async #executeCurrent(
    request: KeyRequest,
    first: number,
    signal: AbortSignal | undefined,
  ): Promise<EtcdResponse> {
    if (request.action !== "get" || request.quorum) {
      return await this.#target.execute(request, { signal });
    }
    const agreed = { ...request, quorum: true };
    try {
      const response = await this.#target.execute(request, { signal });
      if (response.etcdIndex + 1 >= first) return response;
    } catch (error) {
      if (!(error instanceof EtcdCommonError) || error.index + 1 >= first) throw error;
    }
    return await this.#target.execute(agreed, { signal });
  }

  /** Whether this gateway may serve from v2 at this moment. */
  get #isServing(): boolean {
    return this.#membership.side?.from === "source";
  }

  async #openWatch(
    caller: Caller,
    request: WatchRequest,
    signal: AbortSignal | undefined,
  ): Promise<KeyWatch> {
    const operation = `GET ${request.key}`;
    this.#note(request.key);
    const membership = this.#membership;
    for (;;) {
      const side = await membership.decided(operation, signal);
      if (side.from === "target") await requirePermission(caller, request.key, operation);
      if (side.from === "target") return await this.#openOn(caller, request, side.state, signal);
      const watch = await this.#openOnSource(caller, request, signal);
      if (watch !== undefined) return watch;
    }
  }

  /** `undefined`: v2 does not serve any more. */
  async #openOnSource(
    caller: Caller,
    request: WatchRequest,
    signal: AbortSignal | undefined,
  ): Promise<KeyWatch | undefined> {
    const asked = caller.isRestricted
      ? await this.#permissions.origin(caller, request, signal)
      : await this.#source.origin(signal);
    const end = this.#membership.state?.end ?? 0;
    const { returnedAt } = this.#shown;
    if (!this.#isServing) return undefined;
    // The member may be behind.
    const origin = { ...asked, etcdIndex: Math.max(asked.etcdIndex, returnedAt) };
    // etcd takes 0 for an absent index.
    const { waitIndex = 0 } = request;
    // v2 does not know the changes of v3. Its own ones up to the return are those of the copy.
    const isOld = waitIndex > 0 && waitIndex <= returnedAt;
    let seen = waitIndex === 0 ? origin.etcdIndex : waitIndex - 1;
    if (isOld && waitIndex > end) seen = returnedAt;
    else if (isOld) {
      const missed = await this.#openMissed(caller, { ...request, waitIndex }, end, signal);
      if (missed !== undefined) return missed;
      const unchanged = await this.#unchangedUntil(caller, request, signal);
      if (unchanged === undefined) throw historyCleared(request, end + 1, origin);
      seen = unchanged;
    }
    const since = seen + 1;
    const events = await this.#events.for(request, since, origin, signal);
    if (!this.#isServing) return undefined;
    if (events !== undefined) {
      const followed = events.follow(request, since, origin, signal);
      this.#callers.set(followed, caller);
      return followed;
    }
    // v2 refuses a watch of everything, or this one may get events from before the gateway started.
    const isBehind = asked.etcdIndex < returnedAt;
    const from = isOld || isBehind ? { ...request, waitIndex: since } : request;
    const watch = await caller.passed.openWatch(from, { signal });
    if (!this.#isServing) {
      watch.close();
      return undefined;
    }
    const shown = this.#shown.onSource();
    const show = (event: EtcdResponse) => shown.show(event, this.#closing.signal);
    const shownOnSource = shownWatch(watch, watch.etcdClusterId, show);
    this.#direct.add(shownOnSource);
    return new SwitchedWatch(shownOnSource, () => this.#isServing);
  }

  /**
   * The index up to which a file has had no change since an index from before the return; `undefined`: it had one. Clients that
   * use the index of a node, not that of a response, would otherwise get error 401 again and again.
   */
  async #unchangedUntil(
    caller: Caller,
    { key, recursive = false, waitIndex = 0 }: WatchRequest,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    if (recursive) return undefined;
    try {
      const read = { action: "get", key, quorum: true } as const;
      const { node, etcdIndex } = await this.#executeOnSource(caller, read, signal);
      return node.dir !== true && node.modifiedIndex < waitIndex ? etcdIndex : undefined;
    } catch (error) {
      if (error instanceof EtcdCommonError) return undefined;
      throw error;
    }
  }

  /** A watch of events of v3 from before the return, which continues on v2; `undefined`: they are not known. */
  async #openMissed(
    caller: Caller,
    request: WatchRequest & { readonly waitIndex: number },
    end: number,
    signal: AbortSignal | undefined,
  ): Promise<KeyWatch | undefined> {
    const origin = { ...UNKNOWN_ORIGIN, etcdClusterId: this.clusterId, etcdIndex: end };
    const watch = await this.#lastEvents?.open(request, origin, signal);
    if (watch === undefined) return undefined;
    const switched = new SwitchedWatch(watch);
    if (!watch.ended) {
      const after = { ...request, waitIndex: end + 1 };
      switched.continueWith(() => this.#openWatch(caller, after, signal));
      watch.end();
    }
    return switched;
  }

  async #openOn(
    caller: Caller,
    request: WatchRequest,
    state: StoredState,
    signal: AbortSignal | undefined,
  ): Promise<KeyWatch> {
    const waitIndex = request.waitIndex || Number.POSITIVE_INFINITY;
    const shown = await this.#shown.onTargetWithin(`GET ${request.key}`, state, signal);
    const { first } = shown;
    if (waitIndex > state.end) {
      const isEarly = waitIndex < first;
      const from = isEarly ? { ...request, waitIndex: first } : request;
      return await this.#openTarget(caller, from, state, signal);
    }
    await this.#switched;
    const events = this.#events.get(request.key);
    if (events?.covers(waitIndex) !== true) {
      const isUnchanged = await this.#isUnchangedSince(request, waitIndex, shown, signal);
      const atSwitch = isUnchanged ? { ...request, waitIndex: first } : request;
      return await this.#openTarget(caller, atSwitch, state, signal);
    }
    const origin = { ...UNKNOWN_ORIGIN, etcdClusterId: state.clusterId, etcdIndex: state.end };
    const watch = events.open(request, waitIndex, origin, signal);
    const switched = new SwitchedWatch(watch);
    if (!watch.ended) this.#continue({ watch, request, signal, switched }, caller, state, first);
    return switched;
  }

  /**
   * Whether a key has had no event from an index of v2 until the switch. Clients that use the index of a node, not that of a
   * response, would otherwise get error 401 again and again.
   */
  async #isUnchangedSince(
    { key, recursive = false }: WatchRequest,
    waitIndex: number,
    shown: ShownKeys,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    if (recursive) return false;
    const execute = (request: KeyRequest) => this.#target.execute(request, { signal });
    const copied = await shown.copied(key, execute, signal);
    return copied !== undefined && copied.response.node.dir !== true && copied.before < waitIndex;
  }

  /** Opens a watch of v3, which goes on when gateways hold, also if they return to v2 then. */
  async #openTarget(
    caller: Caller,
    request: WatchRequest,
    state: StoredState,
    signal: AbortSignal | undefined,
  ): Promise<KeyWatch> {
    const operation = `GET ${request.key}`;
    const shown = await this.#shown.onTargetWithin(operation, state, signal);
    const watch = await this.#target.openWatch(request, { signal });
    const since = request.waitIndex || watch.etcdIndex + 1;
    if (this.#membership.state?.phase !== "target" || this.#shown.switches !== state.switches) {
      watch.close();
      return await this.#openWatch(caller, { ...request, waitIndex: since }, signal);
    }
    const holds = this.#holds;
    let isComplete = true;
    const show = async (event: EtcdResponse): Promise<EtcdResponse | undefined> => {
      const { from } = await this.#membership.confirmed(operation);
      isComplete &&= from === "target" && this.#membership.switches === state.switches;
      return isComplete ? await shown.show(event, signal) : undefined;
    };
    const switched = new SwitchedWatch(shownWatch(watch, state.clusterId, show));
    switched.continueWith(async (next) => {
      const isOver = next > 0 && request.stream !== true;
      if (isOver || this.#holds === holds) return undefined;
      const seen = Math.max(next, since) - 1;
      const waitIndex = (isComplete ? Math.max(seen, watch.provenIndex) : seen) + 1;
      return await this.#reopen(caller, { ...request, waitIndex }, signal);
    });
    return switched;
  }

  /** Opens a watch that continues another one; `undefined`: its client must open it again, and then gets the error. */
  async #reopen(
    caller: Caller,
    request: WatchRequest,
    signal: AbortSignal | undefined,
  ): Promise<KeyWatch | undefined> {
    try {
      return await this.#openWatch(caller, request, signal);
    } catch (error) {
      if (error instanceof EtcdCommonError) return undefined;
      throw error;
    }
  }

  #continue(
    { watch, request, signal, switched }: FollowedWatch,
    caller: Caller,
    state: StoredState,
    first: number,
  ): void {
    const after = { ...request, waitIndex: Math.max(watch.since, first) };
    switched.continueWith(async () => {
      // The client may be a user that was left out at the switch.
      if (!(await caller.isPermittedOnTarget())) return undefined;
      return await this.#openTarget(caller, after, state, signal);
    });
    watch.end();
  }

  async #switchAll(state: StoredState): Promise<void> {
    const { first } = await this.#shown.onTarget(state);
    for (const followed of await this.#events.endAt(state.end, this.#limitOfLastEvents)) {
      const caller = this.#callers.get(followed.switched);
      if (caller !== undefined) this.#continue(followed, caller, state, first);
    }
    this.#endDirect();
  }

  #note(key: string): void {
    const path = pathOf(key);
    // Requests of this library about the store itself; and registrations must not become too large.
    if (!path.includes("/_") || path === unusedKey(path.slice(0, path.lastIndexOf("/")))) return;
    if (path.length > MAX_HIDDEN_LENGTH) return;
    for (const prefix of hiddenPrefixes(path)) {
      if (this.#hidden.size < MAX_HIDDEN) this.#hidden.add(prefix);
    }
  }
}

/** The index of the store; `undefined`: the cluster has not decided. */
function indexOf(outcome: Outcome): number | undefined {
  if ("response" in outcome) return outcome.response.etcdIndex;
  return outcome.error instanceof EtcdCommonError ? outcome.error.index : undefined;
}

/** @throws UnauthorizedError */
async function requirePermission(caller: Caller, key: string, operation: string): Promise<void> {
  if (await caller.isPermittedOnTarget()) return;
  const refusal = { ...errorDefinition(110), errorCode: 110, detail: "Insufficient credentials" };
  throw serverErrorOf({ ...refusal, index: 0, key, operation, endpoint: "", clusterId: "" });
}

function isAbsent(error: unknown): boolean {
  return error instanceof KeyNotFoundError || error instanceof NotDirError;
}

const UNKNOWN_ORIGIN = { etcdServer: "", raftIndex: 0, raftTerm: 0 };
