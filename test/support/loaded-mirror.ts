import { onTestFinished } from "vitest";
import type { EtcdNode } from "../../src/model/node.js";
import type { WatchItem } from "../../src/model/watch-item.js";
import { Mirror } from "../../src/recipes/mirror/mirror.js";
import type { MirrorChange } from "../../src/recipes/mirror/mirror-change.js";
import { directory, file, resync, ScriptedClient, settled } from "./scripted-client.js";

/** `/a` with two files and nested directories. */
export const STATE = directory("/a", 4, [
  file("/a/10", "ten", 5),
  file("/a/9", "nine", 6),
  directory("/a/d", 7, [
    file("/a/d/x", "1", 7),
    directory("/a/d/e", 8, [file("/a/d/e/y", "2", 8)]),
  ]),
]);

export const keysOf = (nodes: Iterable<EtcdNode>): string[] => [...nodes].map(({ key }) => key);

/** A mirror that has loaded `state`, and its changes since then. */
export async function loaded(state: EtcdNode | null = STATE, key = "/a") {
  const etcd = new ScriptedClient();
  const mirror = new Mirror(etcd, key);
  onTestFinished(() => mirror.close());
  etcd.watcher.deliver(resync(state, 10));
  await mirror.ready;
  const changes: MirrorChange[] = [];
  mirror.on("change", (change) => changes.push(change));
  const deliver = async (...items: readonly WatchItem[]): Promise<void> => {
    etcd.watcher.deliver(...items);
    await settled();
  };
  return { etcd, mirror, changes, deliver };
}

/** A short form of changes: action, key, and the values before and after. */
export const brief = (changes: readonly MirrorChange[]): string[] =>
  changes.map(({ action, key, node, prevNode }) => {
    const show = (one: EtcdNode | undefined) => one && (one.value ?? "dir");
    return `${action} ${key}: ${show(prevNode)} -> ${show(node)}`;
  });
