import type { KeyWatch } from "../../src/key-space/key-space.js";
import type { EtcdReceipt, EtcdResponse } from "../../src/model/response.js";

/** Returns the next event of a watch, and closes the watch. */
export async function eventOf(watch: KeyWatch): Promise<EtcdResponse> {
  for await (const event of watch) return event;
  throw new Error("the watch ended without an event");
}

/**
 * Returns the events of a watch up to index `last`, and closes the watch. Each event is returned
 * once: etcd's streams deliver a removal twice.
 */
export async function eventsUntil(watch: KeyWatch, last: number): Promise<readonly EtcdResponse[]> {
  const byIndex = new Map<number, EtcdResponse>();
  for await (const event of watch) {
    byIndex.set(event.node.modifiedIndex, event);
    if (event.node.modifiedIndex === last) break;
  }
  return [...byIndex.values()];
}

/** The fields that the response to a write shares with the event of the same change. */
export function changeOf({ action, node, prevNode }: EtcdResponse): Partial<EtcdResponse> {
  return prevNode === undefined ? { action, node } : { action, node, prevNode };
}

/** Whether a response omits its nodes, as `noValueOnSuccess` requests. */
export function withoutNodes(receipt: EtcdReceipt): boolean {
  return !("node" in receipt) && !("prevNode" in receipt);
}
