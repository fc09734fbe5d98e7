import type { KeySpace } from "../../key-space/key-space.js";
import { pathOf } from "../../key-space/shared/path.js";
import type { PushedWatch } from "../../key-space/shared/pushed-watch.js";
import { readIndex } from "../../key-space/shared/read-state.js";
import type { WatchRequest } from "../../model/key-request.js";
import type { EtcdResponse, ResponseOrigin } from "../../model/response.js";
import { ClusterEvents, directoryOf } from "./cluster-events.js";
import type { ShownKeys } from "./shown-keys.js";

/** Indexes before the hold whose events are read again: the same number as etcd v2 keeps events. */
const HISTORY = 1_000;

export interface LastEventsSettings {
  readonly keySpace: Pick<KeySpace, "subscribe" | "execute">;
  /** Those with hidden names: watches do not see what is hidden below theirs. */
  readonly hidden: readonly string[];
  /** Index up to which open watches have delivered everything; 0: it is not known. */
  readonly delivered: number;
  readonly shown: Promise<ShownKeys>;
  readonly signal: AbortSignal;
}

/** The last events of v3 before a return to v2: for watches that were open, and for polls from shortly before. */
export class LastEvents {
  readonly #events: Promise<ReadonlyMap<string, ClusterEvents>>;
  /** Resolves when they are complete. */
  #complete: Promise<unknown> = Promise.resolve();

  constructor(settings: LastEventsSettings) {
    // Without them, watches are opened again from what clients read then.
    this.#events = collect(settings).catch(() => new Map());
  }

  /** Called when it is known up to which index events count. */
  endAt(index: number, signal: AbortSignal): void {
    this.#complete = this.#events.then((all) =>
      Promise.all([...all.values()].map((each) => each.endAt(index, signal))),
    );
  }

  /** The events from the index of a request on; `undefined`: some are not known. */
  async open(
    request: WatchRequest & { readonly waitIndex: number },
    origin: ResponseOrigin,
    signal: AbortSignal | undefined,
  ): Promise<PushedWatch | undefined> {
    await this.#complete;
    const events = (await this.#events).get(directoryOf(pathOf(request.key)));
    if (events?.covers(request.waitIndex) !== true) return undefined;
    return events.open(request, request.waitIndex, origin, signal);
  }

  close(): void {
    void this.#events.then((all) => {
      for (const each of all.values()) each.close();
    });
  }
}

async function collect(settings: LastEventsSettings): Promise<ReadonlyMap<string, ClusterEvents>> {
  const { keySpace, hidden, delivered, signal } = settings;
  const [shown, { index }] = await Promise.all([settings.shown, readIndex(keySpace, { signal })]);
  const seen = delivered === 0 ? index : delivered;
  const from = Math.max(shown.first, Math.min(seen, index - HISTORY) + 1);
  const show = (event: EtcdResponse) => shown.show(event, signal);
  const directories = new Set(["", ...hidden.map(directoryOf)]);
  return new Map(
    [...directories].map((directory) => [
      directory,
      new ClusterEvents(keySpace, directory, from, () => false, show),
    ]),
  );
}
