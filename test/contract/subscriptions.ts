import { expect, vi } from "vitest";
import type { KeySpace } from "../../src/key-space/key-space.js";
import type { Resync, SubscribeRequest, Subscription } from "../../src/key-space/subscription.js";
import type { KeyRequest } from "../../src/model/key-request.js";
import type { EtcdResponse } from "../../src/model/response.js";
import { systemClock } from "../../src/time/clock.js";
import type { CaseContext, Cases } from "./arrangement.js";
import { changeOf } from "./events.js";

type Options = Partial<SubscribeRequest> & { readonly signal?: AbortSignal };

/** A subscription with a small buffer, which is proven to be current every half second. */
function subscribe(keySpace: KeySpace, key: string, options: Options = {}): Subscription {
  const { signal, ...request } = options;
  return keySpace.subscribe(
    {
      ...{ key, recursive: true, from: "now", state: "full", bufferSize: 1_000, pollInterval: 500 },
      ...request,
    },
    { signal },
  );
}

/** The changes up to an index. Fails on a resync. */
async function changesUpTo(
  subscription: Subscription,
  index: number,
): Promise<readonly EtcdResponse[]> {
  const found: EtcdResponse[] = [];
  for (;;) {
    const { value } = await subscription.next();
    if (value?.type !== "changes") expect.fail(`not changes, but ${JSON.stringify(value)}`);
    found.push(...value.changes);
    if ((found.at(-1)?.node.modifiedIndex ?? 0) >= index) return found;
  }
}

async function resyncOf(subscription: Subscription): Promise<Resync> {
  const { value } = await subscription.next();
  return value?.type === "resync" ? value : expect.fail(`no resync, but ${JSON.stringify(value)}`);
}

/** Executes requests one after another. */
async function executeAll(
  keySpace: KeySpace,
  requests: readonly KeyRequest[],
): Promise<readonly EtcdResponse[]> {
  const responses: EtcdResponse[] = [];
  for (const request of requests) responses.push(await keySpace.execute(request));
  return responses;
}

const set = (key: string, value = "1"): KeyRequest => ({ action: "set", key, value });
const lastIndexOf = (responses: readonly EtcdResponse[]): number =>
  responses.at(-1)?.node.modifiedIndex ?? expect.fail("nothing was written");
const changesOf = (responses: readonly EtcdResponse[]) => responses.map(changeOf);

export const subscriptions: Cases = {
  "a subscription from now delivers every later change once and in order": async ({
    keySpace,
    dir,
  }) => {
    const before = await keySpace.execute(set(`${dir}/a`));
    const subscription = subscribe(keySpace, dir);
    const { etcdIndex, etcdClusterId } = await subscription.opened;
    expect(etcdIndex).toBeGreaterThanOrEqual(before.node.modifiedIndex);
    expect(etcdClusterId).toBe(before.etcdClusterId);
    const written = await executeAll(keySpace, [
      set(`${dir}/a`, "2"),
      { action: "create", key: `${dir}/d`, dir: true },
      set(`${dir}/d/b`),
      { action: "compareAndSwap", key: `${dir}/d/b`, prevValue: "1", value: "3" },
      { action: "delete", key: `${dir}/d`, recursive: true },
      { action: "delete", key: dir, recursive: true },
      set(`${dir}/a`, "4"),
    ]);
    const changes = await changesUpTo(subscription, lastIndexOf(written));
    expect(changesOf(changes)).toEqual(changesOf(written));
    expect(subscription.index).toBeGreaterThanOrEqual(lastIndexOf(written));
    subscription.close();
  },

  "a subscription from the state misses nothing between the state and the first change": async ({
    keySpace,
    dir,
  }) => {
    const key = `${dir}/a`;
    await keySpace.execute(set(key, "0"));
    const subscription = subscribe(keySpace, key, { from: "state", recursive: false });
    const written = await Promise.all(
      Array.from({ length: 20 }, (_, n) => keySpace.execute(set(key, `${n}`))),
    );
    const { reason, index, response } = await resyncOf(subscription);
    const last = await keySpace.execute(set(key, "last"));
    expect(reason).toBe("initial");
    expect(response?.node.modifiedIndex).toBeLessThanOrEqual(index);
    const later = [...written, last]
      .filter(({ node }) => node.modifiedIndex > index)
      .sort((a, b) => a.node.modifiedIndex - b.node.modifiedIndex);
    const changes = await changesUpTo(subscription, last.node.modifiedIndex);
    expect(changesOf(changes)).toEqual(changesOf(later));
    subscription.close();
  },

  "a subscription from an index delivers the past as a live watch would have": async ({
    keySpace,
    dir,
  }) => {
    const [first] = await executeAll(keySpace, [set(`${dir}/w/a`)]);
    await executeAll(keySpace, [
      set(`${dir}/w/_hidden`),
      set(`${dir}/wide`),
      set(`${dir}/w/b/_h/c`),
      { action: "set", key: `${dir}/w/t`, value: "1", ttl: 100 },
      { action: "update", key: `${dir}/w/t`, refresh: true, ttl: 200 },
      { action: "delete", key: dir, recursive: true },
      set(`${dir}/w/a`, "2"),
    ]);
    const from = first?.node.modifiedIndex ?? 0;
    const subscription = subscribe(keySpace, `${dir}/w`, { from });
    const last = await keySpace.execute(set(`${dir}/w/a`, "3"));
    const changes = await changesUpTo(subscription, last.node.modifiedIndex);
    expect(changes.map(({ action, node }) => [action, node.key])).toEqual([
      ["set", `${dir}/w/a`],
      ["set", `${dir}/w/t`],
      ["delete", dir],
      ["set", `${dir}/w/a`],
      ["set", `${dir}/w/a`],
    ]);
    expect(changes.at(0)?.node.modifiedIndex).toBe(from);
    subscription.close();
  },

  "a subscription of one key delivers its changes and the removal of a directory above": async ({
    keySpace,
    dir,
  }) => {
    const key = `${dir}/d/a`;
    await keySpace.execute(set(key));
    const subscription = subscribe(keySpace, key, { recursive: false });
    await subscription.opened;
    await executeAll(keySpace, [
      set(`${dir}/d/b`),
      { action: "delete", key: `${dir}/d`, recursive: true },
      set(`${dir}/d/b`),
    ]);
    const last = await keySpace.execute(set(key));
    const changes = await changesUpTo(subscription, last.node.modifiedIndex);
    expect(changes.map(({ action, node }) => [action, node.key])).toEqual([
      ["delete", `${dir}/d`],
      ["set", key],
    ]);
    subscription.close();
  },

  "a resync reads as much of the state as the request wants": async ({ keySpace, dir }) => {
    const last = await keySpace.execute(set(`${dir}/d/a`));
    const [full, shallow, none, missing] = await Promise.all(
      [
        subscribe(keySpace, dir, { from: "state" }),
        subscribe(keySpace, dir, { from: "state", state: "shallow" }),
        subscribe(keySpace, dir, { from: "state", state: "none" }),
        subscribe(keySpace, `${dir}/missing`, { from: "state" }),
      ].map(async (subscription) => {
        const resync = await resyncOf(subscription);
        subscription.close();
        return resync;
      }),
    );
    expect(full?.response?.node.nodes?.[0]?.nodes?.[0]?.key).toBe(`${dir}/d/a`);
    expect(shallow?.response?.node.nodes?.[0]?.key).toBe(`${dir}/d`);
    expect(shallow?.response?.node.nodes?.[0]?.nodes).toBeUndefined();
    expect([none?.response, missing?.response]).toEqual([null, null]);
    for (const resync of [full, shallow, none, missing]) {
      expect(resync?.index).toBeGreaterThanOrEqual(last.node.modifiedIndex);
      expect(resync?.etcdClusterId).toBe(last.etcdClusterId);
    }
  },

  "an index of another cluster, or one that is not reached yet, gives a resync": async ({
    keySpace,
    dir,
  }) => {
    const { node } = await keySpace.execute(set(`${dir}/a`));
    const from = node.modifiedIndex;
    const subscriptions = [
      subscribe(keySpace, dir, { from, clusterId: "0badcafe" }),
      subscribe(keySpace, dir, { from: from + 1_000_000 }),
    ];
    for (const subscription of subscriptions) {
      const { reason, index, response } = await resyncOf(subscription);
      expect([reason, response?.node.key]).toEqual(["cluster-changed", dir]);
      expect(index).toBeGreaterThanOrEqual(from);
    }
    const next = await keySpace.execute(set(`${dir}/b`));
    for (const subscription of subscriptions) {
      const changes = await changesUpTo(subscription, next.node.modifiedIndex);
      expect(changesOf(changes)).toEqual(changesOf([next]));
      subscription.close();
    }
  },

  "a slow consumer gets every change that history holds, and delays no other": async ({
    keySpace,
    dir,
  }) => {
    const slow = subscribe(keySpace, dir, { bufferSize: 3 });
    const other = subscribe(keySpace, dir);
    await Promise.all([slow.opened, other.opened]);
    const requests = Array.from({ length: 40 }, (_, n) => set(`${dir}/${n % 5}`, `${n}`));
    const written = await executeAll(keySpace, requests);
    const last = lastIndexOf(written);
    expect(changesOf(await changesUpTo(other, last))).toEqual(changesOf(written));
    expect(slow.index).toBeLessThan(written[0]?.node.modifiedIndex ?? 0);
    expect(changesOf(await changesUpTo(slow, last))).toEqual(changesOf(written));
    for (const subscription of [slow, other]) subscription.close();
  },

  "the index of a quiet subscription is proven when a caller waits for it": async ({
    keySpace,
    dir,
  }) => {
    const quiet = subscribe(keySpace, `${dir}/quiet`, { pollInterval: 60_000 });
    await quiet.opened;
    const { node } = await keySpace.execute(set(`${dir}/busy`));
    await quiet.reached(node.modifiedIndex);
    expect(quiet.index).toBeGreaterThanOrEqual(node.modifiedIndex);
    const leaving = new AbortController();
    const waiting = quiet.reached(node.modifiedIndex + 1_000_000, leaving);
    leaving.abort(new Error("enough"));
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
    quiet.close();
  },

  "a subscription claims to be current only as far as its consumer has read": async ({
    keySpace,
    dir,
  }) => {
    const subscription = subscribe(keySpace, dir);
    await subscription.opened;
    const [first, second] = await executeAll(keySpace, [set(`${dir}/a`), set(`${dir}/b`)]);
    const writtenAt = systemClock.monotonic();
    const [firstIndex, secondIndex] = [first, second].map((at) => at?.node.modifiedIndex ?? 0);
    const changes = await changesUpTo(subscription, firstIndex ?? 0);
    if (changes.length === 1) {
      expect(subscription.index).toBeLessThan(secondIndex ?? 0);
      expect(subscription.currentAt ?? 0).toBeLessThanOrEqual(writtenAt);
      await changesUpTo(subscription, secondIndex ?? 0);
    }
    await vi.waitFor(() => expect(subscription.currentAt ?? 0).toBeGreaterThan(writtenAt), WAITING);
    expect(subscription.index).toBeGreaterThanOrEqual(secondIndex ?? 0);
    subscription.close();
  },

  "a subscription that is closed ends without an error": async ({ keySpace, dir }) => {
    const subscription = subscribe(keySpace, dir);
    await subscription.opened;
    await keySpace.execute(set(`${dir}/a`));
    await changesUpTo(subscription, 0);
    const waiting = subscription.next();
    subscription.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await subscription.next()).toEqual({ done: true, value: undefined });
  },

  "a subscription rejects at once when its signal aborts": async ({ keySpace, dir }) => {
    const abort = new AbortController();
    const subscription = subscribe(keySpace, dir, { signal: abort.signal });
    const waiting = subscribe(keySpace, `${dir}/beside`, { signal: abort.signal });
    await Promise.all([subscription.opened, waiting.opened]);
    const end = waiting.next();
    await keySpace.execute(set(`${dir}/a`));
    abort.abort(new Error("enough"));
    const late = subscribe(keySpace, dir, { signal: abort.signal });
    for (const ended of [end, subscription.next(), late.next(), late.opened]) {
      await expect(ended).rejects.toMatchObject({ name: "AbortError" });
    }
  },

  "a subscription rejects with an error that time cannot repair": async ({ keySpace, dir }) => {
    const subscription = subscribe(keySpace, `${dir}\u0000`, { from: "state" });
    const outcome = await subscription.next().then(
      ({ value }) => value,
      (error: unknown) => error,
    );
    // Some key spaces have such a key, and it does not exist.
    if (outcome instanceof Error) expect(outcome.name).not.toBe("AbortError");
    else expect(outcome).toMatchObject({ type: "resync", response: null });
    subscription.close();
  },
} satisfies Record<string, (context: CaseContext) => Promise<void>>;

/** Intervals of half a second, on a busy machine. */
const WAITING = { timeout: 60_000, interval: 20 };
