import { expect, test } from "vitest";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import { completeOptions } from "../../client/normalize-options.js";
import type { HttpRequest, HttpResponse } from "../../wire/http.js";
import { Call } from "./call.js";
import { EndpointList } from "./endpoint-list.js";

const READ: HttpRequest = {
  method: "GET",
  path: "/",
  safety: "read",
  scope: "local",
  operation: "GET /",
};

test("a second attempt that begins late has a timeout of at least 1 ms", async () => {
  const clock = new SimulatedClock();
  const options = { urls: ["http://a:1", "http://b:1"], timeout: 30, hedgeReadsAfter: 20, clock };
  const { cluster } = completeOptions(options);
  const timeouts: number[] = [];
  const send = (_url: string, _request: HttpRequest, limits: { timeout: number }) => {
    timeouts.push(limits.timeout);
    return new Promise<HttpResponse>(() => {});
  };
  const endpoints = new EndpointList(cluster.urls, clock);
  const call = new Call(
    { request: READ, send, interpret: () => {} },
    cluster,
    endpoints,
    undefined,
  );
  void call.run(undefined, new AbortController().signal);
  // As when the event loop was blocked.
  clock.advance(50);
  expect(timeouts).toEqual([30, 1]);
});
