import { pathOf } from "../../key-space/shared/path.js";
import type { WatchRequest } from "../../model/key-request.js";
import type { ResponseOrigin } from "../../model/response.js";
import { linkSignals } from "../../time/link-signals.js";
import { sleep } from "../../time/sleep.js";
import type { SourceCluster } from "../source/source-cluster.js";
import { ClusterEvents, directoryOf, type FollowedWatch } from "./cluster-events.js";
import type { ShownClusters } from "./shown-clusters.js";

/** Hidden directories whose events are collected. */
const MAX_HIDDEN = 200;
/** Number of events that v2 keeps. */
const HISTORY = 1_000;
const RETRY_MS = 200;
/** Milliseconds after which events are collected again that v2 has refused. */
const RESTART_MS = 5_000;
/** Time for the first events of a directory. */
const OPENING_MS = 2_000;

export interface SourceEventsSettings {
  readonly source: SourceCluster;
  readonly shown: ShownClusters;
  readonly closing: AbortSignal;
  /** Whether the gateway may serve from v2 at this moment. */
  isServing(): boolean;
  /** Whether v3 serves, so that there is nothing more to collect. */
  hasSwitched(): boolean;
}

/** The events of v2 that a gateway collects for its watches. */
export class SourceEvents {
  readonly #settings: SourceEventsSettings;
  /** By the path of their directory: watches do not see what is hidden below theirs. */
  readonly #events = new Map<string, ClusterEvents>();
  /** Why they are not collected. */
  #failure: Error | undefined;
  /** ID of the v2 cluster; empty: not known yet. */
  clusterId = "";

  constructor(settings: SourceEventsSettings) {
    this.#settings = settings;
  }

  /** Begins to collect, as soon as v2 responds. Takes at most a few seconds. */
  async start(): Promise<void> {
    const { source, closing } = this.#settings;
    const limit = sleep(OPENING_MS, source.cluster.clock, closing);
    await Promise.race([this.#start(), limit]).catch(() => {});
  }

  /** Begins anew, because v2 serves again. */
  beginAgain(): void {
    this.close();
    this.#events.clear();
    void this.#start().catch(() => {});
  }

  /** Why they are not collected; empty: they are. */
  get problem(): string {
    if (this.#events.has("")) return "";
    return this.#failure === undefined
      ? "v2 could not be read yet"
      : `v2 refuses its events: ${this.#failure.message}`;
  }

  /** Called when the gateway may serve from v2 again. */
  decided(): void {
    for (const events of this.#events.values()) events.decided();
  }

  /** Those that a watch sees, if they are collected. */
  get(key: string): ClusterEvents | undefined {
    return this.#events.get(directoryOf(pathOf(key)));
  }

  /** Those that a watch needs, from an index on; `undefined`: v2 must serve the watch itself. */
  async for(
    request: WatchRequest,
    since: number,
    origin: ResponseOrigin,
    signal: AbortSignal | undefined,
  ): Promise<ClusterEvents | undefined> {
    const events = this.#eventsOf(request.key, since);
    if (events === undefined || !(await this.#isReady(events, request, origin, signal))) {
      return undefined;
    }
    return events.covers(since) ? events : undefined;
  }

  /** Delivers the events up to the end of v2. @returns the watches that are still open */
  async endAt(end: number, limit: AbortSignal): Promise<readonly FollowedWatch[]> {
    const all = [...this.#events.values()].map((events) => events.endAt(end, limit));
    return (await Promise.all(all)).flat();
  }

  close(): void {
    for (const events of this.#events.values()) events.close();
  }

  async #start(): Promise<void> {
    const { source, shown, closing, hasSwitched } = this.#settings;
    const { returns } = shown;
    for (;;) {
      closing.throwIfAborted();
      if (hasSwitched() || shown.returns !== returns) return;
      try {
        const { etcdIndex, etcdClusterId } = await source.origin(closing);
        this.clusterId = etcdClusterId;
        if (shown.returns !== returns) return;
        // Watches that go on after a return need all events since.
        const { returnedAt } = shown;
        const isRecent = returnedAt > 0 && etcdIndex < returnedAt + HISTORY;
        const from = (isRecent ? returnedAt : etcdIndex) + 1;
        await this.#collect("", from).opened.catch(() => {});
        return;
      } catch (error) {
        this.#failure = error instanceof Error ? error : new Error(String(error));
        await sleep(RETRY_MS, source.cluster.clock, closing);
      }
    }
  }

  async #restart(): Promise<void> {
    const { source, closing } = this.#settings;
    await sleep(RESTART_MS, source.cluster.clock, closing);
    await this.#start();
  }

  #eventsOf(key: string, since: number): ClusterEvents | undefined {
    const directory = directoryOf(pathOf(key));
    const known = this.#events.get(directory);
    if (known !== undefined || directory === "" || this.#events.size > MAX_HIDDEN) return known;
    return this.#collect(directory, since);
  }

  async #isReady(
    events: ClusterEvents,
    { waitIndex }: WatchRequest,
    { etcdIndex }: ResponseOrigin,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const ending = linkSignals(signal);
    const ready = async (): Promise<boolean> => {
      await events.opened;
      // Without an index, nothing from before the request may be delivered.
      if (!waitIndex) await events.reached(etcdIndex, ending.signal);
      return true;
    };
    const limit = sleep(OPENING_MS, this.#settings.source.cluster.clock, ending.signal);
    try {
      return await Promise.race([ready(), limit.then(() => false)]);
    } catch {
      return false;
    } finally {
      ending.abort(new Error("it is known whether the events can be delivered"));
    }
  }

  #collect(directory: string, from: number): ClusterEvents {
    const { source, shown, closing, isServing, hasSwitched } = this.#settings;
    const keys = shown.onSource();
    const events = new ClusterEvents(source.keySpace, directory, from, isServing, (event) =>
      keys.show(event, closing),
    );
    this.#events.set(directory, events);
    events.onFailure = () => {
      if (hasSwitched() || this.#events.get(directory) !== events) return;
      this.#failure = events.failure;
      this.#events.delete(directory);
      if (directory === "") void this.#restart().catch(() => {});
    };
    return events;
  }
}
