import type { KeySpace } from "../../key-space/key-space.js";
import { EventCache } from "../../key-space/shared/event-cache.js";
import { matchesWatch } from "../../key-space/shared/matches-watch.js";
import { pathOf } from "../../key-space/shared/path.js";
import { PushedWatch } from "../../key-space/shared/pushed-watch.js";
import type { StoreEvent } from "../../key-space/shared/store-event.js";
import { WatcherHub } from "../../key-space/shared/watcher-hub.js";
import type { Changes, Resync, Subscription } from "../../key-space/subscription.js";
import { isRemoval } from "../../model/actions.js";
import type { WatchRequest } from "../../model/key-request.js";
import type { EtcdResponse, ResponseOrigin } from "../../model/response.js";
import { SwitchedWatch } from "./switched-watch.js";

/** Limits of the kept events: ten times as many as etcd v2 keeps. */
const LIMITS = { events: 10_000, characters: 32 * 1024 * 1024 };
/** Milliseconds after which it is proven that no event was missed. */
const POLL_INTERVAL_MS = 5_000;

/** A watch that continues after the switch. */
export interface FollowedWatch {
  readonly watch: PushedWatch;
  readonly request: WatchRequest;
  readonly signal: AbortSignal | undefined;
  readonly switched: SwitchedWatch;
}

/**
 * The events of a cluster below a directory, for all watches of a gateway: the latest ones, and those that come. At the
 * switch to the other cluster, each watch gets the events up to the end of this one, and none after it.
 */
export class ClusterEvents {
  /** Rejects when the cluster refuses it. */
  readonly opened: Promise<ResponseOrigin>;
  readonly #subscription: Subscription;
  readonly #hub = new WatcherHub();
  readonly #watches = new Map<PushedWatch, FollowedWatch>();
  #cache: EventCache;
  readonly #mayDeliver: () => boolean;
  readonly #show: (event: EtcdResponse) => Promise<EtcdResponse>;
  #onDecision: () => void = () => {};
  /** The changes that were read last, until they are delivered. */
  #delivering: Promise<void> = Promise.resolve();
  /** Their first index. */
  #undelivered = Number.POSITIVE_INFINITY;
  /** Index after which nothing is delivered. */
  #end = Number.POSITIVE_INFINITY;
  /** Why it has ended. */
  failure: Error | undefined;
  /** Called when it has ended. */
  onFailure: () => void = () => {};

  /**
   * @param from first index of the events, which the cluster may have discarded
   * @param mayDeliver whether the gateway may serve from it now. Otherwise the events wait for a decision
   * @param show makes an event one for clients
   */
  constructor(
    keySpace: Pick<KeySpace, "subscribe">,
    path: string,
    from: number,
    mayDeliver: () => boolean,
    show: (event: EtcdResponse) => Promise<EtcdResponse>,
  ) {
    this.#mayDeliver = mayDeliver;
    this.#show = show;
    const request = { key: path || "/", recursive: true, from, state: "none" } as const;
    const limits = { bufferSize: 1_000, pollInterval: POLL_INTERVAL_MS };
    this.#cache = new EventCache(LIMITS, from);
    this.#subscription = keySpace.subscribe({ ...request, ...limits });
    this.opened = this.#subscription.opened;
    void this.#read();
  }

  /** Whether every event from an index on can be delivered. */
  covers(index: number): boolean {
    return this.failure === undefined && index >= this.#cache.floor;
  }

  /** Resolves when all events up to an index can be delivered. @throws AbortError */
  async reached(index: number, signal: AbortSignal): Promise<void> {
    await this.#subscription.reached(index, { signal });
    if (this.#undelivered <= index) await this.#delivering;
  }

  /** Index up to which all events were delivered. */
  get #index(): number {
    return Math.min(this.#subscription.index, this.#undelivered - 1, this.#end);
  }

  /**
   * Delivers the events from an index on to a watch. What the cluster tells about itself may be newer than what was collected, and a
   * client would take it for the proof that there was no event up to that index.
   */
  open(
    request: WatchRequest,
    since: number,
    origin: ResponseOrigin,
    signal: AbortSignal | undefined,
  ): PushedWatch {
    const { key, recursive = false, stream = false } = request;
    const until = stream ? "closed" : "event";
    const delivered = (): number => this.#index;
    const options = { path: pathOf(key), recursive, since, until, signal, delivered } as const;
    const told = { ...origin, etcdIndex: Math.min(origin.etcdIndex, delivered()) };
    const watch: PushedWatch = new PushedWatch(told, options, () => {
      this.#hub.remove(watch);
      this.#watches.delete(watch);
    });
    for (const { index, events } of this.#cache.from(since)) {
      if (index > this.#end || watch.ended) break;
      for (const event of events) {
        if (!watch.ended && matchesWatch(request, event)) watch.replay(event);
      }
    }
    if (!watch.ended) this.#hub.add(watch);
    return watch;
  }

  /** Opens a watch that continues after the switch. */
  follow(
    request: WatchRequest,
    since: number,
    origin: ResponseOrigin,
    signal: AbortSignal | undefined,
  ): SwitchedWatch {
    const watch = this.open(request, since, origin, signal);
    const switched = new SwitchedWatch(watch);
    if (!watch.ended) this.#watches.set(watch, { watch, request, signal, switched });
    return switched;
  }

  /** Called when the gateway may serve from the cluster again. */
  decided(): void {
    this.#onDecision();
  }

  /**
   * Delivers the events up to the end of the cluster, and none after it.
   *
   * @returns the watches that are still open
   */
  async endAt(index: number, signal: AbortSignal): Promise<readonly FollowedWatch[]> {
    this.#end = index;
    this.decided();
    try {
      await this.reached(index, signal);
    } catch (error) {
      // Events may be missing, so the watches must be opened again.
      this.#fail(error);
    }
    this.#subscription.close();
    return [...this.#watches.values()];
  }

  close(): void {
    this.#subscription.close();
    for (const watch of this.#watches.keys()) watch.end();
  }

  async #read(): Promise<void> {
    try {
      for await (const item of this.#subscription) {
        this.#delivering = this.#take(item);
        await this.#delivering;
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  async #take(item: Changes | Resync): Promise<void> {
    const changes = item.type === "changes" ? item.changes : [];
    this.#undelivered = changes[0]?.node.modifiedIndex ?? Number.POSITIVE_INFINITY;
    const shown = await Promise.all(changes.map(this.#show));
    while (!this.#mayDeliver() && !this.#isCut) await this.#decision();
    if (item.type === "changes") this.#deliver(shown);
    else {
      this.#cache = new EventCache(LIMITS, item.index + 1);
      this.#endAll();
    }
    this.#undelivered = Number.POSITIVE_INFINITY;
  }

  /** Whether it is known which events count. */
  get #isCut(): boolean {
    return this.#end !== Number.POSITIVE_INFINITY;
  }

  #decision(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDecision = resolve;
    });
  }

  #deliver(changes: readonly EtcdResponse[]): void {
    const index = changes[0]?.node.modifiedIndex ?? 0;
    if (index > this.#end) return;
    const events = changes.map((change) => this.#eventOf(change));
    this.#cache.add({ index, events });
    this.#hub.notify(events);
  }

  /** v2 does not say which nodes were in a removed directory, so all paths below it that are watched count. */
  #eventOf({ action, node, prevNode }: EtcdResponse): StoreEvent {
    const event = { action, node, ...(prevNode !== undefined && { prevNode }) };
    const isDirectory = node.dir === true || prevNode?.dir === true;
    if (!isRemoval(action) || !isDirectory) return event;
    const paths = [...this.#watches.keys()].map(({ path }) => path);
    const removed = [...new Set(paths)].filter((path) => path.startsWith(`${node.key}/`));
    return { ...event, removed };
  }

  #fail(error: unknown): void {
    const isFirst = this.failure === undefined;
    this.failure ??= error instanceof Error ? error : new Error(String(error));
    this.#endAll();
    if (isFirst) this.onFailure();
  }

  /** Without an error: clients open their watches again, and then learn whether events are missing. */
  #endAll(): void {
    for (const watch of [...this.#watches.keys()]) watch.end();
  }
}

/** The directory from which a watch would see the events of a path: up to its last hidden segment. */
export function directoryOf(path: string): string {
  return /^.*\/_[^/]*/.exec(path)?.[0] ?? "";
}
