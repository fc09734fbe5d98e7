import { getEventListeners } from "node:events";
import { expect, test, vi } from "vitest";
import { type Clock, EtcdClient } from "../../src/index.js";
import { systemClock } from "../../src/time/clock.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { inBatches } from "../support/in-batches.js";

const WATCHERS = 1_000;
/** Connections for the other calls of the client, which are probes. */
const CALLS = 16;

describeWithEtcd("3.4", "1,000 watchers of one client", () => {
  test("use at most one connection each, receive their changes, and leave no timers or listeners", async () => {
    await using cluster = await startEtcd({ release: "3.4" });
    await using proxy = await FaultProxy.before(cluster.urls[0]);
    await using writer = new EtcdClient({ urls: cluster.urls });
    const timers = new Set<() => void>();
    const { signal } = new AbortController();
    const openedAt = performance.now();
    await using etcd = new EtcdClient({
      urls: [proxy.url],
      maxConnections: CALLS,
      clock: trackingClock(timers),
    });
    const watchers = Array.from({ length: WATCHERS }, (_, n) =>
      etcd.watch(`/many/${n}`, { signal }),
    );
    await vi.waitFor(() => expect(watchers.every(({ index }) => index > 0)).toBe(true), 550_000);
    const first = watchers.map((watcher) => watcher.next());
    await inBatches(WATCHERS, (n) => writer.setNode(`/many/${n}`, "x"));
    for (const { value } of await Promise.all(first)) {
      expect(value).toMatchObject({ type: "change" });
    }
    const reads = proxy.requests.filter(isPacedRead).length;
    const seconds = (performance.now() - openedAt) / 1_000;
    expect(reads).toBeLessThan(20 * seconds + 2);
    // A watch has two connections while a stream is replaced, and one more for a scan. They close
    // after 30 idle seconds.
    await vi.waitFor(() => expect(proxy.open).toBeLessThanOrEqual(WATCHERS + CALLS), 60_000);

    const ends = Promise.allSettled(watchers.map((watcher) => watcher.next()));
    const closedAt = performance.now();
    await etcd.close();
    for (const end of await ends) {
      expect(end).toMatchObject({ status: "rejected", reason: { name: "AbortError" } });
    }
    const took = Math.round(performance.now() - closedAt);
    await vi.waitFor(() => expect(proxy.open).toBe(0), 60_000);
    console.info(
      `peak of ${proxy.peak} connections, ${reads} probes and scans, closed in ${took} ms`,
    );
    expect(timers).toEqual(new Set());
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(getEventListeners(etcd.closed, "abort")).toEqual([]);
  });
});

/** Whether a request is a probe, or a scan for many watches. Scans that fill a gap are not paced. */
function isPacedRead(request: string): boolean {
  return /quorum=true|recursive=true.*waitIndex=/.test(request);
}

/** The system clock. Its pending timers are in `timers`. */
function trackingClock(timers: Set<() => void>): Clock {
  return {
    ...systemClock,
    after(milliseconds, callback) {
      const cancel = systemClock.after(milliseconds, () => {
        timers.delete(stop);
        callback();
      });
      const stop = (): void => {
        timers.delete(stop);
        cancel();
      };
      timers.add(stop);
      return stop;
    },
  };
}
