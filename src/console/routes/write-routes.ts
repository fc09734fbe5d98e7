import type { EtcdClient } from "../../client/etcd-client.js";
import { ConsoleError, optionalIndex, readJson, textIn } from "../http/json-exchange.js";
import type { WriteAnswer } from "../model/page-types.js";
import type { ConsoleRequest } from "./route.js";

/** Saves a value by compare-and-swap, or creates the key: it overwrites nobody's change. */
export async function saveKey({ session, message }: ConsoleRequest): Promise<WriteAnswer> {
  const body = await readJson(message);
  const key = writableKey(textIn(body, "key"));
  const value = textIn(body, "value");
  const index = optionalIndex(body, "index");
  const { etcd } = session;
  if (index === undefined) {
    const { node } = await etcd.execute({ action: "create", key, value });
    return { index: node.modifiedIndex };
  }
  const ttl = await remainingTtl(etcd, key);
  const { node } = await etcd.execute({
    ...{ action: "compareAndSwap", key, value, prevIndex: index },
    ...(ttl !== undefined && { ttl }),
  });
  return { index: node.modifiedIndex };
}

/** The TTL has run on while the value was edited. */
export async function remainingTtl(etcd: EtcdClient, key: string): Promise<number | undefined> {
  const response = await etcd.getNode(key, { quorum: true, ignoreKeyNotFound: true });
  const ttl = response?.node.ttl;
  return ttl === undefined ? undefined : Math.max(1, ttl);
}

export async function createDirectory({ session, message }: ConsoleRequest): Promise<WriteAnswer> {
  const key = writableKey(textIn(await readJson(message), "key"));
  const { node } = await session.etcd.execute({ action: "create", key, dir: true });
  return { index: node.modifiedIndex };
}

/** Removes a file that has not changed, or a directory with everything in it. */
export async function removeKey({ session, message }: ConsoleRequest): Promise<WriteAnswer> {
  const body = await readJson(message);
  const key = writableKey(textIn(body, "key"));
  const prevIndex = optionalIndex(body, "index");
  const { etcd } = session;
  if (body.dir === true) {
    const { node } = await etcd.execute({ action: "delete", key, recursive: true });
    return { index: node.modifiedIndex };
  }
  if (prevIndex === undefined) throw new ConsoleError(400, "index is missing");
  const { node } = await etcd.execute({ action: "compareAndDelete", key, prevIndex });
  return { index: node.modifiedIndex };
}

function writableKey(key: string): string {
  if (key.startsWith("/") && key !== "/") return key;
  throw new ConsoleError(400, "key must begin with /, and must not be the root");
}
