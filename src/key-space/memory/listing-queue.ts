import type { EtcdNode } from "../../model/node.js";
import { nextTurn } from "../../time/event-loop.js";
import type { Listing } from "./listing.js";

/**
 * Runs large listings one at a time, one step in each turn of the event loop. So other requests are executed
 * in between, and the nodes of at most one unfinished listing are in memory.
 */
export class ListingQueue {
  /** Settles when the last listing has ended. */
  #last: Promise<unknown> = Promise.resolve();

  /** Starts a listing after the previous ones. `check` is called before each step and may throw. */
  run(start: () => Listing, check: () => void): Promise<EtcdNode> {
    const result = this.#last.then(() => finish(start, check));
    this.#last = result.catch(() => {});
    return result;
  }
}

async function finish(start: () => Listing, check: () => void): Promise<EtcdNode> {
  check();
  using listing = start();
  for (const _step of listing.steps()) {
    await nextTurn();
    check();
  }
  return listing.node;
}
