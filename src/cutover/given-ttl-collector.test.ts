import { expect, test } from "vitest";
import { SimulatedClock } from "../../test/support/simulated-clock.js";
import type { RegisteredGateway } from "./cutover-records.js";
import { GivenTtlCollector } from "./given-ttl-collector.js";

const reporting = (...givenTtls: readonly string[]) => [{ givenTtls } as RegisteredGateway];

test("keys are kept that gateways have reported at any time", async () => {
  const clock = new SimulatedClock();
  let reported = reporting("/a");
  await using collector = new GivenTtlCollector({ gateways: async () => reported }, clock);
  await clock.pass(10);
  reported = reporting("/b");
  await clock.pass(6_000);
  collector.take(reporting("/c"), clock.monotonic());
  expect(collector.keys).toEqual(["/a", "/b", "/c"]);
});

test("keys may be missing when gateways could not be asked for as long as they report a key", async () => {
  const clock = new SimulatedClock();
  let fails = true;
  const gateways = async () => {
    if (fails) throw new Error("v3 does not respond");
    return reporting("/a");
  };
  await using collector = new GivenTtlCollector({ gateways }, clock);
  await clock.pass(30_000);
  fails = false;
  await clock.pass(10_000);
  expect(collector.keys).toEqual(["/a"]);
  fails = true;
  await clock.pass(60_000);
  collector.take(reporting("/b"), clock.monotonic());
  expect(() => collector.keys).toThrow("run it again");
});
