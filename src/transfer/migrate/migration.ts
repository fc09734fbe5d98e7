import type { KeySpace } from "../../key-space/key-space.js";
import { parentPath } from "../../key-space/shared/path.js";
import { readState } from "../../key-space/shared/read-state.js";
import type { Clock } from "../../time/clock.js";
import { type LinkedSignal, linkSignals } from "../../time/follow.js";
import { sleep } from "../../time/sleep.js";
import { KeyWatcher } from "../../watch/key-watcher.js";
import { SharedReads } from "../../watch/shared-reads.js";
import {
  type Comparison,
  compareTrees,
  type PlacedDifference,
  type Tree,
} from "../compare/compare-trees.js";
import { keyOf } from "../compare/difference.js";
import { isHoldable, lossOf } from "../compare/loss.js";
import type { Losses } from "../compare/losses.js";
import { KeySpaceWithRetries } from "../source/key-space-with-retries.js";
import { list } from "../source/listing.js";
import { isReplaced } from "../source/replaced-text.js";
import { ShallowKeySpace } from "../source/shallow-key-space.js";
import type { TreePair } from "../source/source-and-target.js";
import type { Wanted } from "../target/node-writer.js";
import { RateLimiter } from "../target/rate-limiter.js";
import { TargetWriter } from "../target/target-writer.js";
import { tryLargest } from "../target/try-largest.js";
import { ChangeFeed, type PendingChange } from "./change-feed.js";
import { Doubts } from "./doubts.js";
import type { MigrateOptions } from "./migrate-options.js";
import type { MigrationProgress } from "./migration-progress.js";
import { writeRecord } from "./migration-record.js";
import { Pass, type PassKind } from "./pass.js";
import type { Preflight } from "./preflight.js";
import { TtlSchedule } from "./ttl-schedule.js";

/** Seconds by which TTLs may differ before they are written again. */
const TTL_TOLERANCE = 2;
/** Milliseconds between proofs that nothing was missed. */
const POLL_INTERVAL = 1_000;
/** Milliseconds of silence that pass for such a proof, of sources that do not tell their index. */
const SILENCE = 5_000;
/** Milliseconds between two looks at whether it is over. */
const TICK = 250;

/** One run of a migration. Everything in it happens one step after the other. */
export class Migration {
  readonly #trees: TreePair;
  readonly #options: MigrateOptions;
  readonly #clock: Clock;
  readonly #source: Tree;
  readonly #target: Tree;
  readonly #ttls: TtlSchedule;
  readonly #ending: LinkedSignal;
  readonly #writer: TargetWriter;
  readonly #feed: ChangeFeed;
  readonly #losses: Losses;
  readonly #doubts = new Doubts();
  readonly #startedAt: number;
  readonly #preflight: Preflight;
  #pass: Pass | undefined;
  /** The last pass that came to its end. */
  #ended: Pass | undefined;
  /** Index of the source above which those of the target are known to be. */
  #indexAbove = 0;
  /** Whether everything is compared, or was, after it was told to end. */
  #isChecked = false;
  /** Monotonic moment at which the source was last seen to change. */
  #changedAt = 0;
  /** Index of the source when it was to end. */
  #endIndex: number | undefined;

  constructor(preflight: Preflight, options: MigrateOptions) {
    const { from, to, rate, signal } = options;
    const { trees, losses } = preflight;
    this.#preflight = preflight;
    this.#trees = trees;
    this.#losses = losses;
    this.#options = options;
    this.#clock = from.clock;
    this.#startedAt = preflight.startedAt;
    this.#ending = linkSignals(signal, from.closed, to.closed);
    this.#source = new KeySpaceWithRetries(trees.source, this.#clock);
    this.#target = new KeySpaceWithRetries(trees.target, this.#clock);
    this.#ttls = new TtlSchedule(this.#clock, trees.tops);
    const pace = new RateLimiter(rate, this.#clock);
    const settings = { pace, losses, clock: this.#clock, signal: this.#ending.signal };
    this.#writer = new TargetWriter(this.#target, settings);
    this.#feed = this.#watch(trees.source);
  }

  async run(): Promise<MigrationProgress> {
    try {
      await this.#feed.stands();
      await this.#prepare();
      this.#beginPass("copy");
      while (!(await this.#isOver())) await this.#step();
      return this.#progress;
    } finally {
      this.#feed.close();
      this.#ending.unlink();
    }
  }

  #watch(source: KeySpace): ChangeFeed {
    const keySpace = new ShallowKeySpace(source);
    const watched = {
      keySpace,
      reads: new SharedReads(keySpace, this.#clock),
      clock: this.#clock,
      closed: this.#ending.signal,
      observe: () => {},
    };
    const common = { initial: true, from: undefined, pollInterval: POLL_INTERVAL } as const;
    const { tops } = this.#trees;
    const settings = { ...common, recursive: true, bufferSize: 10_000 };
    const watchers = tops.map((key) => new KeyWatcher(watched, { ...settings, key }, undefined));
    return new ChangeFeed(watchers, tops);
  }

  /** Makes the target ready. Nothing of the source's is written before it may be. */
  async #prepare(): Promise<void> {
    const { to } = this.#options;
    const { targetPrefix: secondPrefix } = this.#trees;
    const { claim, isLoadable, size } = this.#preflight;
    await tryLargest(size.largest, this.#source, this.#target, this.#losses, this.#call);
    await this.#keepIndexAhead();
    await writeRecord(this.#target, claim, this.#call);
    const { loading } = to.keySpace;
    if (isLoadable && loading) this.#writer.loader = { loading, prefix: secondPrefix };
  }

  /** Indexes of a target that can do it go on above the source's. */
  async #keepIndexAhead(): Promise<void> {
    const { loading } = this.#options.to.keySpace;
    const { index } = this.#feed;
    if (loading === undefined || index <= this.#indexAbove) return;
    await loading.continueAfter(index, this.#call);
    this.#indexAbove = index;
  }

  #beginPass(kind: PassKind): void {
    const { tops } = this.#trees;
    this.#pass = new Pass(kind, this.#compare(tops));
  }

  #compare(keys: readonly string[], recursive = true): AsyncGenerator<Comparison, void, undefined> {
    const options = { ...this.#call, clock: this.#clock, ttlTolerance: TTL_TOLERANCE, recursive };
    return compareTrees(this.#source, this.#target, keys, options);
  }

  async #step(): Promise<void> {
    await this.#copySome();
    const touches = this.#feed.take();
    if (touches.length > 0) this.#changedAt = this.#now;
    await this.#replay(touches);
    for (const key of this.#ttls.takeDue()) await this.#settleAll(this.#compare([key], false));
    if (this.#pass === undefined) await this.#lookAgain();
    this.#options.onProgress?.(this.#progress);
    if (this.#pass === undefined) await this.#rest();
  }

  /** The next directories of the pass that is under way. */
  async #copySome(): Promise<void> {
    const pass = this.#pass;
    if (pass === undefined) return;
    const next = await pass.next();
    if (next === undefined) return this.#endPass(pass);
    const differences = await this.#settle(next);
    if (pass.kind === "verify") this.#doubts.note(differences);
    pass.count(next, differences.length);
  }

  /** What a pass has written is compared once more: nothing counts as copied that was not seen. */
  async #endPass(pass: Pass): Promise<void> {
    this.#pass = undefined;
    this.#ended = pass;
    this.#changedAt = this.#now;
    this.#writer.loader = undefined;
    await this.#keepIndexAhead();
    if (pass.kind === "copy" && pass.different > 0) this.#beginPass("verify");
  }

  /** Compares the nodes again that a pass found different although they had been copied. */
  async #lookAgain(): Promise<void> {
    await this.#writer.all(this.#doubts.keys, async (key) => {
      const found: PlacedDifference[] = [];
      for await (const comparison of this.#compare([key], false)) {
        found.push(...(await this.#settle(comparison)));
      }
      this.#doubts.look(
        key,
        found.find((difference) => keyOf(difference) === key),
      );
    });
  }

  async #settleAll(comparisons: AsyncIterable<Comparison>): Promise<void> {
    for await (const comparison of comparisons) await this.#settle(comparison);
  }

  /** Makes differences good, and returns those. */
  async #settle(comparison: Comparison): Promise<readonly PlacedDifference[]> {
    const { leased, readAt } = comparison;
    const differences = this.#losses.without(comparison, this.#preflight.locations.target);
    await this.#writer.applyDifferences(differences, readAt);
    for (const { key, ttl = 1 } of leased) this.#ttls.note(key, ttl, readAt);
    return differences;
  }

  /** Files at the same time, but what concerns a whole tree after all before it. */
  async #replay(touches: readonly PendingChange[]): Promise<void> {
    let files: PendingChange[] = [];
    for (const touch of touches) {
      if (touch.kind === "tree") {
        await this.#replayFiles(files);
        files = [];
        await this.#replayTree(touch.key);
      } else files.push(touch);
    }
    await this.#replayFiles(files);
  }

  async #replayTree(key: string): Promise<void> {
    // A whole comparison takes so long that changes must be replayed meanwhile.
    if (this.#trees.tops.includes(key)) this.#beginPass("copy");
    else await this.#settleAll(this.#compare([key]));
  }

  async #replayFiles(touches: readonly PendingChange[]): Promise<void> {
    await this.#writer.all(touches, (touch) => this.#replayFile(touch));
  }

  async #replayFile(touch: PendingChange): Promise<void> {
    const { kind, key } = touch;
    // In a namespace, that is how a key beside it is told of.
    if (!key.startsWith("/")) return;
    // What the name stands for, and whether the target can have it, the listing tells.
    if (isReplaced(key) || !isHoldable(key, this.#preflight.locations.target)) {
      return await this.#settleAll(this.#compare([parentPath(key) || "/"], false));
    }
    if (touch.kind === "put") await this.#put(touch);
    else if (kind === "gone") await this.#writer.removeFile(key);
    else await this.#renew(key);
  }

  async #renew(key: string): Promise<void> {
    const readAt = this.#now;
    const { self } = await list(this.#source, key, this.#call);
    // What has vanished or changed since is told of again.
    if (self === undefined || self.dir) return;
    await this.#put(self);
    if (self.ttl !== undefined) this.#ttls.note(key, self.ttl, readAt);
  }

  async #put(node: Wanted): Promise<void> {
    const { key, value = "" } = node;
    if (isReplaced(value)) {
      this.#losses.meet(lossOf(key, "replaced"));
    }
    await this.#writer.put(node);
  }

  /** Until there may be something to do. */
  async #rest(): Promise<void> {
    const over = new AbortController();
    const either = linkSignals(this.#signal, over.signal);
    const wait = Math.min(TICK, this.#ttls.wait ?? TICK);
    try {
      await Promise.race([this.#feed.news(), sleep(wait, this.#clock, either.signal)]);
    } finally {
      over.abort();
      either.unlink();
    }
  }

  /** Whether all that happened until it was to end was brought over. */
  async #isOver(): Promise<boolean> {
    const { until } = this.#options;
    if (this.#pass !== undefined || this.#feed.waiting > 0 || this.#doubts.size > 0) return false;
    if (until?.aborted === false) return false;
    if (until !== undefined && !this.#isChecked) {
      // No watch tells of a refresh that gave a TTL to a key without one.
      this.#isChecked = true;
      this.#beginPass("verify");
      return false;
    }
    this.#endIndex ??= (await readState(this.#trees.source, { key: "/" }, this.#call)).index;
    const isSilent = this.#now - this.#changedAt > SILENCE;
    if (this.#feed.waiting > 0 || (this.#feed.index < this.#endIndex && !isSilent)) return false;
    await this.#keepIndexAhead();
    return true;
  }

  get #progress(): MigrationProgress {
    const pass = this.#pass;
    const { nodes: total } = this.#preflight.size;
    const compared = (pass ?? this.#ended)?.compared ?? 0;
    return {
      phase: pass === undefined ? "following" : PHASES[pass.kind],
      share: pass === undefined ? 1 : Math.min(1, compared / Math.max(1, total)),
      compared,
      total,
      written: this.#writer.written,
      changing: this.#doubts.changing,
      lost: this.#losses.count,
      waiting: this.#feed.waiting,
      index: this.#feed.index,
      elapsed: this.#now - this.#startedAt,
    };
  }

  get #signal(): AbortSignal {
    return this.#ending.signal;
  }

  get #call(): { readonly signal: AbortSignal } {
    return { signal: this.#ending.signal };
  }

  get #now(): number {
    return this.#clock.monotonic();
  }
}

const PHASES = { copy: "copying", verify: "verifying" } as const;
