import { expect, it } from "vitest";
import { systemClock } from "../../time/clock.js";
import type { HttpResponse } from "../../wire/http.js";
import type { ClusterSettings } from "./cluster-settings.js";
import { EndpointList } from "./endpoint-list.js";
import { Topology } from "./topology.js";
import { v2Probes } from "./topology-probes.js";
import { Transport } from "./transport.js";

const KNOWN = "http://known:1";

const settings: ClusterSettings = {
  ...{ urls: [KNOWN], clock: systemClock, discoverySrv: undefined, authorization: undefined },
  ...{ requestTimeout: 1_000, writeTimeout: 1_000, connectTimeout: 1_000, timeout: 1_000 },
  endpointSelection: "random",
  ...{ autoSync: 60_000, hedgeReadsAfter: 0 },
  ...{ retryUnknownWrites: false, maxResponseSize: 1_000_000, maxConnections: 1 },
  ...{ secureContext: () => undefined, ignoreCertificateError: false, useProxy: false },
};

/** A transport to members of which each one has another cluster, and advertises these URLs. */
class SimulatedTransport extends Transport {
  readonly asked: string[] = [];
  readonly forgotten: string[] = [];
  readonly #clientURLs: readonly string[];

  constructor(clientURLs: readonly string[]) {
    super(settings, () => true);
    this.#clientURLs = clientURLs;
  }

  override async sendToOne(url: string): Promise<HttpResponse> {
    this.asked.push(url);
    const member = { id: "1", name: "", peerURLs: [], clientURLs: this.#clientURLs };
    const headers = { "x-etcd-cluster-id": url };
    return { status: 200, headers, endpoint: url, body: JSON.stringify({ members: [member] }) };
  }

  override forget(origin: string): void {
    this.forgotten.push(origin);
  }
}

it("asks at most 32 advertised addresses, once each, and forgets those of other clusters", async () => {
  const addresses = Array.from({ length: 1_000 }, (_, at) => `http://member${at}:1`);
  const transport = new SimulatedTransport([...addresses, ...addresses]);
  const endpoints = new EndpointList([KNOWN], systemClock);
  const topology = new Topology(settings, endpoints, transport, v2Probes);
  await topology.prepare({ ...v2Probes.members });
  await expect.poll(() => transport.forgotten.length).toBeGreaterThanOrEqual(32);
  expect(transport.asked).toEqual([KNOWN, ...addresses.slice(0, 32)]);
  expect(transport.forgotten).toEqual(addresses.slice(0, 32));
  expect(endpoints.urls).toEqual([KNOWN]);
});
