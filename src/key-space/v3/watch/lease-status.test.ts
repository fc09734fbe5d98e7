import { expect, it } from "vitest";
import { SimulatedClock } from "../../../../test/support/simulated-clock.js";
import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import { KeySchema } from "../schema/key-schema.js";
import { leaseStatusOf } from "./lease-status.js";

const CALL: V3Call = { operation: "GET /", key: "/", safety: "read", scope: "local" };
const schema = new KeySchema();

/** The leases that are queried for the put of a key with a lease of another client. */
async function queriedFor(key: string): Promise<readonly unknown[]> {
  const queried: unknown[] = [];
  const api = {
    call: async (_rpc: unknown, request: unknown) => {
      queried.push(request);
      return { message: { TTL: 60 } };
    },
  } as unknown as V3Api;
  const kv = {
    ...{ key: Buffer.from(key), value: Buffer.alloc(0), lease: "1234" },
    ...{ create_revision: 7, mod_revision: 7, version: 1 },
  };
  const revision = { number: 7, changes: [{ kv, deleted: false, prev: undefined }] };
  await leaseStatusOf(api, [revision], schema, new SimulatedClock(), CALL);
  return queried;
}

it("the lease of another client is queried for a file and for a directory", async () => {
  expect(await queriedFor(schema.file("/a"))).toEqual([{ ID: "1234" }]);
  expect(await queriedFor(schema.marker("/a"))).toEqual([{ ID: "1234" }]);
});

it("no lease is queried for a record, so that recorded writes do not slow watches down", async () => {
  expect(await queriedFor(`${schema.idempotency}1`)).toEqual([]);
  expect(await queriedFor(schema.heartbeat)).toEqual([]);
});
