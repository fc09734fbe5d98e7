import { expect, test } from "vitest";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import { OutcomeUnknownError } from "../../errors/cluster-errors.js";
import type { EtcdResponse } from "../../model/response.js";
import { GivenTtls } from "./given-ttls.js";
import type { Outcome } from "./outcome.js";

function arrange() {
  const clock = new SimulatedClock();
  let reports = 0;
  const given = new GivenTtls(clock, () => {
    reports++;
  });
  const send = (key: string) => given.send({ action: "update", key, refresh: true, ttl: 5 });
  return { clock, given, send, reports: () => reports };
}

const refreshed = (ttlBefore: number | undefined): Outcome => ({
  response: { action: "update", prevNode: { ttl: ttlBefore } } as unknown as EtcdResponse,
});

test("a refresh counts until it is known that the node had a TTL", () => {
  const { given, send, reports } = arrange();
  const [first, second] = [send("/a"), send("/a")];
  expect(given.paths).toEqual(["/a"]);
  first(refreshed(3));
  expect(given.paths).toEqual(["/a"]);
  second(refreshed(3));
  expect(given.paths).toEqual([]);
  expect(reports()).toBe(0);
});

test("a first TTL, and one that is perhaps the first, is reported for a minute", async () => {
  const { clock, given, send, reports } = arrange();
  send("/first")(refreshed(undefined));
  send("/unknown")({ error: new OutcomeUnknownError("PUT /unknown", "", new Error("lost")) });
  send("/absent")({ error: new Error("Key not found") });
  given.send({ action: "set", key: "/set", value: "1", ttl: 5 })(refreshed(undefined));
  expect(given.paths).toEqual(["/first", "/unknown"]);
  expect(reports()).toBe(2);
  await clock.pass(40_000);
  send("/first")(refreshed(undefined));
  await clock.pass(40_000);
  expect(given.paths).toEqual(["/first"]);
});

test("it is said when there are too many to report, or one is too long", async () => {
  const { clock, given, send } = arrange();
  for (let at = 0; at < 500; at++) send(`/${at}`)(refreshed(undefined));
  send("/0")(refreshed(undefined));
  expect(given.isIncomplete).toBe(false);
  send("/more")(refreshed(undefined));
  expect(given.isIncomplete).toBe(true);
  expect(given.paths).toHaveLength(500);
  await clock.pass(61_000);
  expect(given.isIncomplete).toBe(false);
  send(`/${"x".repeat(2_000)}`)(refreshed(undefined));
  expect(given.isIncomplete).toBe(true);
});
