import type { KeySpace } from "../../src/key-space/key-space.js";
import { SharedReads } from "../../src/key-space/remote/watch/shared-reads.js";
import type { WatchRequests } from "../../src/key-space/remote/watch/watch-requests.js";
import { WatchSession } from "../../src/key-space/remote/watch/watch-session.js";
import { FeedSubscription } from "../../src/key-space/shared/feed-subscription.js";
import type { SubscribeRequest, Subscription } from "../../src/key-space/subscription.js";
import type { Clock } from "../../src/time/clock.js";

/** Opens subscriptions on a simulated v2 cluster through a watch session, as the remote key space does. */
export class WatchSessionSubscriptions {
  readonly #closing = new AbortController();
  readonly #keySpace: Pick<KeySpace, "execute">;
  readonly #requests: WatchRequests;
  readonly #reads: SharedReads;
  readonly #clock: Clock;

  constructor(keySpace: Pick<KeySpace, "execute">, requests: WatchRequests, clock: Clock) {
    this.#keySpace = keySpace;
    this.#requests = requests;
    this.#reads = new SharedReads(requests, clock);
    this.#clock = clock;
  }

  open(request: SubscribeRequest, signal: AbortSignal | undefined): Subscription {
    const [keySpace, requests, reads, clock] = [
      this.#keySpace,
      this.#requests,
      this.#reads,
      this.#clock,
    ];
    const context = { keySpace, requests, reads, clock };
    const settings = {
      feed: (sink: ConstructorParameters<typeof WatchSession>[2]) =>
        new WatchSession(context, request, sink),
      clock,
      closed: this.#closing.signal,
    };
    return new FeedSubscription(request, settings, signal);
  }

  close(): void {
    this.#closing.abort(new Error("the key space was closed"));
  }
}
