import { expect, test } from "vitest";
import type { Clock } from "../../time/clock.js";
import { EndpointList } from "./endpoint-list.js";

class ManualClock implements Clock {
  time = 0;
  now = () => this.time;
  monotonic = () => this.time;
  after = () => () => {};
}

const URLS = ["http://a:1", "http://b:1", "http://c:1"];
const first = (list: EndpointList): string => list.inOrder()[0]?.url ?? "none";

test("the first call's order is random, later calls stay with its endpoint", () => {
  const firsts = new Set<string>();
  for (let count = 0; count < 200; count++) {
    const list = new EndpointList(URLS, new ManualClock());
    firsts.add(first(list));
    expect(first(list)).toBe(first(list));
  }
  expect([...firsts].sort()).toEqual(URLS);
});

test("an endpoint that failed comes last until another one fails", () => {
  const clock = new ManualClock();
  const list = new EndpointList(URLS, clock);
  const failed = list.inOrder()[0];
  failed?.failed(clock.time);
  clock.time += 60_000;
  const [first, second, last] = list.inOrder();
  expect(last).toBe(failed);
  // Otherwise a client that only writes would return to a bad endpoint.
  for (const endpoint of [first, second]) endpoint?.failed(clock.time);
  expect(list.inOrder()[0]).toBe(failed);
});

test("a response of another endpoint replaces the one that failed", () => {
  const clock = new ManualClock();
  const list = new EndpointList(URLS, clock);
  const [failed, other] = list.inOrder();
  failed?.failed(clock.time);
  if (other !== undefined) list.onResponse(other);
  clock.time += 60_000;
  expect(list.inOrder()[0]).toBe(other);
});

test("concurrent failures increase the backoff once", () => {
  const clock = new ManualClock();
  const list = new EndpointList(URLS, clock);
  const endpoint = list.inOrder()[0];
  clock.time = 5000;
  for (let count = 0; count < 100; count++) endpoint?.failed(10);
  expect(endpoint?.avoidUntil).toBeLessThanOrEqual(5500);
});

test("synchronizing adds the advertised endpoints and keeps the given ones", () => {
  const list = new EndpointList(["http://seed:1"], new ManualClock());
  list.sync(["http://new:1", "http://seed:1"]);
  expect(list.urls).toEqual(["http://new:1", "http://seed:1"]);
  list.sync(["http://other:1"]);
  expect(list.urls).toEqual(["http://other:1", "http://seed:1"]);
});
