// @ts-check
// Watch changes: every change below a key, once and in order, whatever happens in between.
import { setTimeout as delay } from "node:timers/promises";
import { ClusterUnavailableError, EtcdClient, EtcdEventError, KeyNotFoundError } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const directory = "/example-watch";

/**
 * What is there, and then each change to it. When etcd no longer holds the changes that are owed
 * (it keeps 1000 of the whole store), what is there is told anew: nothing is lost in silence.
 *
 * @param {string} key
 * @param {AbortSignal} signal
 */
async function* follow(key, signal) {
  let next = 0; // index of the first change that is owed; 0: not known
  while (!signal.aborted) {
    try {
      if (next === 0) {
        const { node, index } = await read(key, signal);
        yield { state: node };
        next = index + 1;
      }
      const change = await etcd.watchNode(key, { recursive: true, waitIndex: next, signal });
      yield { change };
      // From the changed node, not from `etcdIndex`: that is where the watch began, and etcd may
      // owe more changes up to there.
      next = change.node.modifiedIndex + 1;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof EtcdEventError) next = 0;
      else if (error instanceof ClusterUnavailableError) await delay(1000);
      else throw error;
    }
  }
}

/**
 * The node, and the index of the whole store at which it was read: the node's own index would not
 * do, since a directory's does not move when its children change.
 *
 * @param {string} key
 * @param {AbortSignal} signal
 */
async function read(key, signal) {
  try {
    const answer = await etcd.getNode(key, { recursive: true, quorum: true, signal });
    return { node: answer.node, index: answer.etcdIndex };
  } catch (error) {
    if (error instanceof KeyNotFoundError) return { node: undefined, index: error.index };
    throw error;
  }
}

/** More changes than etcd holds, while nobody waits for one. */
async function overrunHistory() {
  for (let batch = 0; batch < 21; batch++) {
    const writes = Array.from({ length: 50 }, () => etcd.setNode(`${directory}/counter`, "tick"));
    await Promise.all(writes);
  }
}

const stop = new AbortController();
for await (const { state, change } of follow(directory, stop.signal)) {
  if (change === undefined) {
    console.log("state:", state === undefined ? "nothing there" : `${state.nodes?.length} keys`);
    if (state === undefined) {
      await etcd.setNode(`${directory}/a`, "1");
      await etcd.setNode(`${directory}/b`, "2", { ttl: 1 });
      await etcd.deleteNode(`${directory}/a`);
    } else {
      await etcd.deleteNode(directory, { recursive: true });
    }
    continue;
  }
  const { action, node, prevNode } = change;
  console.log(`change: ${action} ${node.key}, was ${prevNode?.value}, is ${node.value}`);
  if (action === "expire") await overrunHistory();
  if (node.key === directory) stop.abort();
}

await etcd.close();
