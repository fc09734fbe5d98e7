import { expect, test, vi } from "vitest";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import { LineDecoder } from "../../cluster/exchange/line-decoder.js";
import type { HttpRequest } from "../../wire/http.js";
import { RemoteScan } from "./remote-scan.js";
import type { Scan } from "./watch/watch-requests.js";

const REQUEST: HttpRequest = {
  ...{ method: "GET", path: "/v2/keys/a?wait=true&waitIndex=3", operation: "GET /a" },
  ...{ safety: "read", scope: "local" },
};
const EVENT = { action: "set", node: { key: "/a", value: "1", modifiedIndex: 5, createdIndex: 5 } };

/** A scan whose response headers have index 8, and its connection. */
function begin(encoding: string | undefined = "chunked") {
  const clock = new SimulatedClock();
  const halfClose = vi.fn();
  const flow = { pause: vi.fn(), resume: vi.fn(), abort: vi.fn(), halfClose };
  const parts = new LineDecoder(flow, 1_000, () => {});
  const headers = {
    ...{ "x-etcd-index": "8", "x-etcd-cluster-id": "c" },
    ...(encoding !== undefined && { "transfer-encoding": encoding }),
  };
  const response = { status: 200, headers, endpoint: "http://etcd", parts };
  const scan = new RemoteScan(REQUEST, response, JSON.parse).read(clock);
  return { clock, parts, halfClose, scan };
}

const shown = async (scan: Promise<Scan>) => {
  const { events, provenIndex } = await scan;
  return { events: events.map(({ node }) => node.modifiedIndex), provenIndex };
};

test("a clean end after the half-close proves that nothing happened up to the index in the headers", async () => {
  const { clock, parts, halfClose, scan } = begin();
  await clock.pass(19);
  expect(halfClose).not.toHaveBeenCalled();
  await clock.pass(1);
  expect(halfClose).toHaveBeenCalledOnce();
  parts.end();
  expect(await shown(scan)).toEqual({ events: [], provenIndex: 8 });
  expect(clock.pending).toBe(0);
});

test("an event proves the indexes before its own; its own index can have more events", async () => {
  const { clock, parts, halfClose, scan } = begin();
  parts.push(Buffer.from(`${JSON.stringify(EVENT)}\n`));
  parts.end();
  expect(await shown(scan)).toEqual({ events: [5], provenIndex: 4 });
  expect([halfClose.mock.calls.length, clock.pending]).toEqual([0, 0]);
});

test("an end before the half-close proves nothing: a proxy may have caused it", async () => {
  const { parts, scan } = begin();
  parts.end();
  expect(await shown(scan)).toEqual({ events: [], provenIndex: undefined });
});

test("a response that ends with its connection proves nothing: etcd may have died", async () => {
  const { clock, parts, scan } = begin("identity");
  await clock.pass(20);
  parts.end();
  expect(await shown(scan)).toEqual({ events: [], provenIndex: undefined });
});

test("a broken connection, or one that does not end, proves nothing", async () => {
  const broken = begin();
  await broken.clock.pass(20);
  broken.parts.end(new Error("other side closed"));
  expect(await shown(broken.scan)).toEqual({ events: [], provenIndex: undefined });
  const hung = begin();
  await hung.clock.pass(5_000);
  expect(await shown(hung.scan)).toEqual({ events: [], provenIndex: undefined });
  expect(hung.clock.pending).toBe(0);
});
