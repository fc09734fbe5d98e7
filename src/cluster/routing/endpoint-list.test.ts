import { expect, test } from "vitest";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import { EndpointList } from "./endpoint-list.js";

const URLS = ["http://a:1", "http://b:1", "http://c:1"];
const first = (list: EndpointList): string => list.inOrder()[0]?.url ?? "none";

test("the first call's order is random, later calls stay with its endpoint", () => {
  const firsts = new Set<string>();
  for (let count = 0; count < 200; count++) {
    const list = new EndpointList(URLS, new SimulatedClock());
    firsts.add(first(list));
    expect(first(list)).toBe(first(list));
  }
  expect([...firsts].sort()).toEqual(URLS);
});

test("an endpoint that failed comes last until another one fails", () => {
  const clock = new SimulatedClock();
  const list = new EndpointList(URLS, clock);
  const failed = list.inOrder()[0];
  failed?.failed(clock.monotonic());
  clock.advance(60_000);
  const [first, second, last] = list.inOrder();
  expect(last).toBe(failed);
  // Otherwise a client that only writes would return to a bad endpoint.
  for (const endpoint of [first, second]) endpoint?.failed(clock.monotonic());
  expect(list.inOrder()[0]).toBe(failed);
});

test("a response of another endpoint replaces the one that failed", () => {
  const clock = new SimulatedClock();
  const list = new EndpointList(URLS, clock);
  const [failed, other] = list.inOrder();
  failed?.failed(clock.monotonic());
  if (other !== undefined) list.onResponse(other);
  clock.advance(60_000);
  expect(list.inOrder()[0]).toBe(other);
});

test("concurrent failures increase the backoff once", () => {
  const clock = new SimulatedClock();
  const list = new EndpointList(URLS, clock);
  const endpoint = list.inOrder()[0];
  const begun = clock.monotonic();
  clock.advance(5000);
  for (let count = 0; count < 100; count++) endpoint?.failed(begun);
  expect(endpoint?.avoidUntil).toBeLessThanOrEqual(clock.monotonic() + 500);
});

test("synchronizing adds the advertised endpoints and keeps the given ones", () => {
  const list = new EndpointList(["http://seed:1"], new SimulatedClock());
  list.sync(["http://new:1", "http://seed:1"]);
  expect(list.urls).toEqual(["http://new:1", "http://seed:1"]);
  list.sync(["http://other:1"]);
  expect(list.urls).toEqual(["http://other:1", "http://seed:1"]);
});
