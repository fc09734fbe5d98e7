import type { KeyWatch } from "../../src/key-space/key-space.js";
import type { EtcdReceipt, EtcdResponse } from "../../src/model/response.js";

/** The next event of a watch, which is closed then. */
export async function eventOf(watch: KeyWatch): Promise<EtcdResponse> {
  for await (const event of watch) return event;
  throw new Error("the watch ended without an event");
}

/**
 * The events of a watch up to that of index `last`, each once: etcd's streams tell of a removal
 * twice. The watch is closed then.
 */
export async function eventsUntil(watch: KeyWatch, last: number): Promise<readonly EtcdResponse[]> {
  const byIndex = new Map<number, EtcdResponse>();
  for await (const event of watch) {
    byIndex.set(event.node.modifiedIndex, event);
    if (event.node.modifiedIndex === last) break;
  }
  return [...byIndex.values()];
}

/** What an answer and the event of the same change have in common. */
export function changeOf({ action, node, prevNode }: EtcdResponse): Partial<EtcdResponse> {
  return prevNode === undefined ? { action, node } : { action, node, prevNode };
}

/** Whether an answer is of the short form. */
export function withoutNodes(receipt: EtcdReceipt): boolean {
  return !("node" in receipt) && !("prevNode" in receipt);
}
