import type { KeySpace } from "../../key-space/key-space.js";
import { parentPath } from "../../key-space/shared/path.js";
import { readIndex } from "../../key-space/shared/read-state.js";
import type { Clock } from "../../time/clock.js";
import { type LinkedSignal, linkSignals } from "../../time/link-signals.js";
import { sleep } from "../../time/sleep.js";
import {
  type Comparison,
  compareTrees,
  type PlacedDifference,
  type Tree,
} from "../compare/compare-trees.js";
import { keyOfDifference } from "../compare/difference.js";
import { isStorable, lossOf, topmostLoss } from "../compare/loss.js";
import type { Losses } from "../compare/losses.js";
import { KeySpaceWithRetries } from "../source/key-space-with-retries.js";
import { list } from "../source/listing.js";
import { isReplaced } from "../source/replaced-text.js";
import type { TreePair } from "../source/source-and-target.js";
import type { TreeEntry } from "../source/tree-entry.js";
import { withLongerTtls } from "../source/with-longer-ttls.js";
import type { DesiredNode } from "../target/node-writer.js";
import { RateLimiter } from "../target/rate-limiter.js";
import { TargetWriter } from "../target/target-writer.js";
import { tryLargest } from "../target/try-largest.js";
import { ChangeFeed, type PendingChange } from "./change-feed.js";
import type { MigrateOptions } from "./migrate-options.js";
import type { MigrationProgress } from "./migration-progress.js";
import { writeRecord } from "./migration-record.js";
import { Pass, type PassKind } from "./pass.js";
import type { Preflight } from "./preflight.js";
import { RestCopier } from "./rest-copier.js";
import { TtlSchedule } from "./ttl-schedule.js";
import { UnverifiedNodes } from "./unverified-nodes.js";

/** Difference above which a TTL is written again. */
const TTL_TOLERANCE_S = 2;
/** Interval at which the watches prove that they have missed nothing. */
const POLL_INTERVAL_MS = 1_000;
/** Time without changes that counts as such a proof, for a source that does not report its index. */
const SILENCE_MS = 5_000;
/** Interval at which the end of the migration is checked. */
const END_CHECK_INTERVAL_MS = 250;

/** Changes that may be left for a hand-over: they take some tenths of a second. */
const MAX_REST = 500;

/** Ends a source for its clients, when everything else was copied. */
export interface Handover {
  /** Ends it. @returns the index of the last change that counts */
  end(): Promise<number>;
  /** After the end: keys that may have got a TTL without an event. @throws when some are not known */
  givenTtls(): readonly string[];
  /** Called with nodes that have a TTL, as they are after the end. The source may have changed them since. */
  leased(entries: readonly TreeEntry[]): void;
  /** Seconds that TTLs last longer on the target, because nobody can refresh them during the hand-over. */
  readonly extraTtl: number;
  /** By how much the indexes of the target are greater at most, if it supports that. */
  readonly indexMargin?: number | undefined;
}

/** Abort reason of a timer that is no longer needed. */
const WAIT_ENDED = new Error("there is work");

/** One run of a migration. Its steps run one after the other. */
export class Migration {
  readonly #trees: TreePair;
  readonly #options: MigrateOptions;
  readonly #clock: Clock;
  readonly #source: Tree;
  readonly #target: Tree;
  readonly #ttls: TtlSchedule;
  readonly #linkedSignal: LinkedSignal;
  readonly #writer: TargetWriter;
  readonly #feed: ChangeFeed;
  readonly #losses: Losses;
  readonly #unverified = new UnverifiedNodes();
  readonly #startedAt: number;
  readonly #preflight: Preflight;
  readonly #handover: Handover | undefined;
  #pass: Pass | undefined;
  /** The last completed pass. */
  #lastPass: Pass | undefined;
  /** The indexes of the target are known to be above this index of the source. */
  #targetAboveIndex = 0;
  /** Whether the comparison after `until` has started. */
  #isFinalPassStarted = false;
  /** Monotonic time of the last observed change of the source. */
  #lastChangeAt = 0;
  /** Index of the source at which the migration may end. */
  #endIndex: number | undefined;

  /** @param handover called once, after the copy; afterwards only what has changed since is copied */
  constructor(preflight: Preflight, options: MigrateOptions, handover?: Handover) {
    const { from, to, rate, signal } = options;
    const { trees, losses } = preflight;
    this.#preflight = preflight;
    this.#trees = trees;
    this.#losses = losses;
    this.#options = options;
    this.#clock = from.clock;
    this.#startedAt = preflight.startedAt;
    this.#linkedSignal = linkSignals(signal, from.closed, to.closed);
    this.#handover = handover;
    const source = new KeySpaceWithRetries(trees.source, this.#clock);
    // TTLs that are equal within the tolerance are at least as long as they must be.
    const extraTtl = handover && handover.extraTtl + TTL_TOLERANCE_S;
    this.#source = extraTtl === undefined ? source : withLongerTtls(source, extraTtl);
    this.#target = new KeySpaceWithRetries(trees.target, this.#clock);
    this.#ttls = new TtlSchedule(this.#clock, trees.tops);
    const limiter = new RateLimiter(rate, this.#clock);
    const settings = { limiter, losses, clock: this.#clock, signal: this.#linkedSignal.signal };
    this.#writer = new TargetWriter(this.#target, settings);
    this.#feed = this.#watch(trees.source);
  }

  async run(): Promise<MigrationProgress> {
    try {
      await this.#feed.untilOpen();
      await this.#prepare();
      this.#beginPass("copy");
      if (this.#handover === undefined) {
        while (!(await this.#isComplete())) await this.#step();
      } else {
        while (!this.#isAlmostComplete) await this.#step();
        // So that few TTLs are left for the hand-over.
        await this.#copyTtls();
        while (!this.#isAlmostComplete) await this.#step();
        await this.#handOver(this.#handover);
      }
      return this.#progress;
    } finally {
      this.#feed.close();
      this.#linkedSignal.unlink();
    }
  }

  /** Reads the TTLs of all nodes: refreshes cause no events. */
  async #copyTtls(): Promise<void> {
    await this.#applyAll(this.#compare(this.#ttls.takeAll(), false));
  }

  /** Copies what has changed since, up to the index at which the source ends. */
  async #handOver(handover: Handover): Promise<void> {
    const { extraTtl } = handover;
    const cut = this.#feed.hold();
    const last = await handover.end();
    cut(last);
    const accepts = (key: string, value?: string): boolean => this.#accepts(key, value);
    const rest = new RestCopier(this.#writer, extraTtl, accepts);
    await rest.copy(await this.#takeRest(last));
    for (const key of handover.givenTtls()) this.#ttls.schedule(key, 1, this.#now);
    const leased = this.#compare(this.#ttls.takeAll(), false);
    await rest.copyTtls(leased, last, (entries) => handover.leased(entries));
    await this.#keepIndexAhead();
  }

  /**
   * All changes up to the last one, in their order: the root and the hidden keys have subscriptions of their own, and the
   * removal of a directory can be delivered by several.
   */
  async #takeRest(last: number): Promise<readonly PendingChange[]> {
    const changes: PendingChange[] = [];
    const take = (): void => {
      for (const change of this.#feed.take()) changes.push(change);
    };
    let isReached = false;
    const reached = this.#feed.reached(last, this.#signal).finally(() => {
      isReached = true;
    });
    reached.catch(() => {});
    while (!isReached) {
      await Promise.race([reached, this.#feed.untilChange()]);
      take();
    }
    await reached;
    take();
    for (const change of changes) {
      // It may have been refreshed since.
      if (change.kind === "leased") this.#ttls.schedule(change.key, change.ttl, this.#now);
    }
    return inOrder(changes);
  }

  /** Whether the target can store a key. @throws TransferRefusedError for a loss that is not permitted */
  #accepts(key: string, value = ""): boolean {
    const { target } = this.#preflight.locations;
    if (!isStorable(key, target)) {
      const loss = topmostLoss(key, target);
      if (loss !== undefined) this.#losses.recordAndCheck(loss);
      return false;
    }
    if (isReplaced(key)) this.#losses.recordAndCheck(lossOf(key, "unnamed"));
    else if (isReplaced(value)) this.#losses.recordAndCheck(lossOf(key, "replaced"));
    return !isReplaced(key);
  }

  #watch(source: KeySpace): ChangeFeed {
    const { tops } = this.#trees;
    const common = { recursive: true, from: "state", state: "none" } as const;
    const settings = { ...common, pollInterval: POLL_INTERVAL_MS, bufferSize: 10_000 };
    const subscriptions = tops.map((key) => source.subscribe({ key, ...settings }, this.#call));
    return new ChangeFeed(subscriptions, tops);
  }

  /** Prepares the target. The record is written before any node of the source. */
  async #prepare(): Promise<void> {
    const { to } = this.#options;
    const { targetPrefix } = this.#trees;
    const { record, isLoadable, size } = this.#preflight;
    await tryLargest(size.largest, this.#source, this.#target, this.#losses, this.#call);
    await this.#keepIndexAhead();
    await writeRecord(this.#target, record, this.#call);
    const { loading } = to.keySpace;
    if (isLoadable && loading) this.#writer.loader = { loading, prefix: targetPrefix };
  }

  /** If the target supports it, its indexes continue above those of the source. */
  async #keepIndexAhead(): Promise<void> {
    const { loading } = this.#options.to.keySpace;
    const { index } = this.#feed;
    if (loading === undefined || index <= this.#targetAboveIndex) return;
    const margin = this.#handover?.indexMargin;
    await loading.continueAfter(index, { ...this.#call, margin });
    this.#targetAboveIndex = index;
  }

  #beginPass(kind: PassKind): void {
    const { tops } = this.#trees;
    this.#pass = new Pass(kind, this.#compare(tops));
  }

  #compare(keys: readonly string[], recursive = true): AsyncGenerator<Comparison, void, undefined> {
    const options = { ...this.#call, clock: this.#clock, ttlTolerance: TTL_TOLERANCE_S, recursive };
    return compareTrees(this.#source, this.#target, keys, options);
  }

  async #step(): Promise<void> {
    await this.#copySome();
    const changes = this.#feed.take();
    if (changes.length > 0) this.#lastChangeAt = this.#now;
    await this.#replay(changes);
    for (const key of this.#ttls.takeDue()) await this.#applyAll(this.#compare([key], false));
    if (this.#pass === undefined) await this.#recompareUnverified();
    this.#options.onProgress?.(this.#progress);
    if (this.#pass === undefined) await this.#waitForWork();
  }

  /** Copies the next directories of the current pass. */
  async #copySome(): Promise<void> {
    const pass = this.#pass;
    if (pass === undefined) return;
    const next = await pass.next();
    if (next === undefined) return this.#endPass(pass);
    const differences = await this.#apply(next);
    if (pass.kind === "verify") this.#unverified.add(differences);
    pass.count(next, differences.length);
  }

  /** Ends a pass. What it has written is compared again: only nodes that were read count as copied. */
  async #endPass(pass: Pass): Promise<void> {
    this.#pass = undefined;
    this.#lastPass = pass;
    this.#lastChangeAt = this.#now;
    this.#writer.loader = undefined;
    await this.#keepIndexAhead();
    if (pass.kind === "copy" && pass.different > 0) this.#beginPass("verify");
  }

  /** Compares again the nodes that the verification has found different. */
  async #recompareUnverified(): Promise<void> {
    await this.#writer.all(this.#unverified.keys, async (key) => {
      const found: PlacedDifference[] = [];
      for await (const comparison of this.#compare([key], false)) {
        for (const difference of await this.#apply(comparison)) found.push(difference);
      }
      this.#unverified.update(
        key,
        found.find((difference) => keyOfDifference(difference) === key),
      );
    });
  }

  async #applyAll(comparisons: AsyncIterable<Comparison>): Promise<void> {
    for await (const comparison of comparisons) await this.#apply(comparison);
  }

  /** Applies the differences to the target and returns them. */
  async #apply(comparison: Comparison): Promise<readonly PlacedDifference[]> {
    const { leased, readAt } = comparison;
    const differences = this.#losses.differencesWithoutLoss(
      comparison,
      this.#preflight.locations.target,
    );
    await this.#writer.applyDifferences(differences, readAt);
    for (const { key, ttl = 1 } of leased) this.#ttls.schedule(key, ttl, readAt);
    return differences;
  }

  /** Replays files concurrently. A change of a tree waits for all changes before it. */
  async #replay(changes: readonly PendingChange[]): Promise<void> {
    let files: PendingChange[] = [];
    for (const change of changes) {
      if (change.kind === "tree") {
        await this.#replayFiles(files);
        files = [];
        await this.#replayTree(change.key);
      } else files.push(change);
    }
    await this.#replayFiles(files);
  }

  async #replayTree(key: string): Promise<void> {
    // A comparison of everything takes so long that changes must be replayed in between.
    if (this.#trees.tops.includes(key)) this.#beginPass("copy");
    else await this.#applyAll(this.#compare([key]));
  }

  async #replayFiles(changes: readonly PendingChange[]): Promise<void> {
    await this.#writer.all(changes, (change) => this.#replayFile(change));
  }

  async #replayFile(change: PendingChange): Promise<void> {
    const { kind, key } = change;
    // In a namespace, a key outside it is delivered without a leading slash.
    if (!key.startsWith("/")) return;
    // Only a listing shows whether the key has a name, and whether the target can store it.
    if (isReplaced(key) || !isStorable(key, this.#preflight.locations.target)) {
      return await this.#applyAll(this.#compare([parentPath(key) || "/"], false));
    }
    if (change.kind === "put") await this.#put(change);
    else if (kind === "gone") await this.#writer.removeFile(key);
    else await this.#renew(key);
  }

  async #renew(key: string): Promise<void> {
    const readAt = this.#now;
    const { self } = await list(this.#source, key, this.#call);
    // If it was removed or replaced since then, the watch delivers another change.
    if (self === undefined || self.dir) return;
    await this.#put(self);
    if (self.ttl !== undefined) this.#ttls.schedule(key, self.ttl, readAt);
  }

  async #put(node: DesiredNode): Promise<void> {
    const { key, value = "" } = node;
    if (isReplaced(value)) {
      this.#losses.recordAndCheck(lossOf(key, "replaced"));
    }
    await this.#writer.put(node);
  }

  /** Waits until there may be work. */
  async #waitForWork(): Promise<void> {
    const linked = linkSignals(this.#signal);
    const wait = Math.min(END_CHECK_INTERVAL_MS, this.#ttls.delay ?? END_CHECK_INTERVAL_MS);
    try {
      await Promise.race([this.#feed.untilChange(), sleep(wait, this.#clock, linked.signal)]);
    } finally {
      linked.abort(WAIT_ENDED);
    }
  }

  /** Whether everything was copied and compared, except for changes that a hand-over can copy while clients wait. */
  get #isAlmostComplete(): boolean {
    const isCompared = this.#pass === undefined && this.#unverified.size === 0;
    return isCompared && this.#feed.waiting <= MAX_REST;
  }

  /** Whether the migration may end and all changes until then were copied. */
  async #isComplete(): Promise<boolean> {
    const { until } = this.#options;
    if (this.#pass !== undefined || this.#feed.waiting > 0 || this.#unverified.size > 0)
      return false;
    if (until?.aborted === false) return false;
    if (until !== undefined && !this.#isFinalPassStarted) {
      // A refresh can give a TTL to a key without one, and it causes no event.
      this.#isFinalPassStarted = true;
      this.#beginPass("verify");
      return false;
    }
    this.#endIndex ??= (await readIndex(this.#trees.source, this.#call)).index;
    const isSilent = this.#now - this.#lastChangeAt > SILENCE_MS;
    if (this.#feed.waiting > 0 || (this.#feed.index < this.#endIndex && !isSilent)) return false;
    await this.#keepIndexAhead();
    return true;
  }

  get #progress(): MigrationProgress {
    const pass = this.#pass;
    const { nodes: total } = this.#preflight.size;
    const compared = (pass ?? this.#lastPass)?.compared ?? 0;
    return {
      phase: pass === undefined ? "following" : PHASES[pass.kind],
      share: pass === undefined ? 1 : Math.min(1, compared / Math.max(1, total)),
      compared,
      total,
      written: this.#writer.written,
      changing: this.#unverified.changing,
      lost: this.#losses.count,
      waiting: this.#feed.waiting,
      index: this.#feed.index,
      elapsed: this.#now - this.#startedAt,
    };
  }

  get #signal(): AbortSignal {
    return this.#linkedSignal.signal;
  }

  get #call(): { readonly signal: AbortSignal } {
    return { signal: this.#linkedSignal.signal };
  }

  get #now(): number {
    return this.#clock.monotonic();
  }
}

/** In the order of their indexes. Of several changes of a file, the last one. */
function inOrder(changes: readonly PendingChange[]): readonly PendingChange[] {
  const last = new Map<string, number>();
  for (const { kind, key, index } of changes) {
    if (kind !== "tree") last.set(key, Math.max(index, last.get(key) ?? 0));
  }
  return changes
    .filter(({ kind, key, index }) => kind === "tree" || last.get(key) === index)
    .toSorted((a, b) => a.index - b.index);
}

const PHASES = { copy: "copying", verify: "verifying" } as const;
