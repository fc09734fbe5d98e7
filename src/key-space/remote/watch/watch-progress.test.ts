import { expect, test } from "vitest";
import type { EtcdResponse } from "../../../model/response.js";
import type { Coverage, FeedSink } from "../../shared/feed.js";
import { WatchProgress } from "./watch-progress.js";
import type { Scan } from "./watch-requests.js";

const ORIGIN = { etcdServer: "", etcdClusterId: "c", etcdIndex: 100, raftIndex: 0, raftTerm: 0 };

/** Takes any number of items. `coverages`: the coverage before each change. */
class Sink implements FeedSink {
  readonly isFull = false;
  readonly coverages: Coverage[] = [];
  onOpen(): void {}
  putChanges(_changes: readonly EtcdResponse[], before: Coverage): void {
    this.coverages.push(before);
  }
  putResync(): void {}
  onProgress(): void {}
}

function progressFrom(from: number, recursive = true, sink = new Sink()): WatchProgress {
  const limits = { state: "full", pollInterval: 1, bufferSize: 100 } as const;
  return new WatchProgress({ key: "/w", recursive, from, ...limits }, sink);
}

const eventAt = (index: number, key = "/w/a"): EtcdResponse => ({
  ...{ ...ORIGIN, action: "set" },
  node: { key, value: "1", modifiedIndex: index, createdIndex: index },
});
const scanOf = (provenIndex: number | undefined, ...events: readonly EtcdResponse[]): Scan => ({
  ...{ ...ORIGIN, provenIndex, events },
});

test("the event of a scan leaves its own index pending, as there may be others of it", () => {
  const progress = progressFrom(5);
  expect(progress.takeScan(scanOf(6, eventAt(7)))).toBe(true);
  expect(progress.resumePoint.isPending(7)).toBe(true);
  expect(progress.takeScan(scanOf(20))).toBe(false);
  expect(progress.resumePoint.since).toBe(21);
});

test("a scan without proof moves nothing, though its head tells an index", () => {
  const progress = progressFrom(5);
  progress.takeScan(scanOf(undefined));
  expect(progress.resumePoint.since).toBe(5);
});

test("a linearizable read makes a watch current only as far as it has come", () => {
  const progress = progressFrom(5);
  progress.takeProbe({ etcdClusterId: "c", index: 10 }, 1_000, 0);
  expect(progress.currentAt).toBeUndefined();
  progress.takeScan(scanOf(9));
  expect(progress.currentAt).toBeUndefined();
  progress.takeScan(scanOf(10));
  expect(progress.currentAt).toBe(1_000);
});

test("a file that has not changed proves quiet, unless more than it is watched", () => {
  for (const [recursive, fileIndex, since] of [
    [false, 4, 11],
    [false, 5, 5],
    [true, 4, 5],
  ] as const) {
    const progress = progressFrom(5, recursive);
    progress.takeProbe({ etcdClusterId: "c", index: 10, fileIndex }, 1_000, 0);
    expect(progress.resumePoint.since).toBe(since);
  }
});

test("once the cluster is another one, nothing is proven before a resync", () => {
  const progress = progressFrom(5);
  progress.forget();
  progress.takeProbe({ etcdClusterId: "d", index: 0 }, 1_000, 0);
  expect([progress.currentAt, progress.resumePoint.since]).toEqual([undefined, undefined]);
});

test("of several changes of one index, the second is no less unread than the first", () => {
  const sink = new Sink();
  const progress = progressFrom(5, true, sink);
  progress.takeProbe({ etcdClusterId: "c", index: 6 }, 1_000, 0);
  progress.takeScan(scanOf(4, eventAt(6, "/w/_hidden"), eventAt(6, "/w/a")));
  expect(sink.coverages).toEqual([{ index: 5, currentAt: undefined }]);
});
