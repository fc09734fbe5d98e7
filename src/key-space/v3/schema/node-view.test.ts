import { describe, expect, it } from "vitest";
import { encodeLeaseId } from "./lease-id.js";
import { showDirectory, showFile } from "./node-view.js";

const END = Date.UTC(2026, 10, 22, 12);
const FOREIGN = "7587863094351626502";

const keyValue = (lease: string, value = "") => ({
  value: Buffer.from(value),
  lease,
  create_revision: 1,
  mod_revision: 2,
});

describe.each([
  ["5 s before its end", -5_000, 5],
  ["a moment before its end", -1, 1],
  ["at its end", 0, 1],
  ["after its end, as etcd extends leases when it restarts", 60_000, 1],
])("an existing node has at least one second left: %s", (_name, after, ttl) => {
  const view = { offset: 0, now: END + after };

  it("a file", () => {
    const lease = encodeLeaseId({ expiration: END, directory: false }, 0);
    expect(showFile("/a", keyValue(lease), view)).toMatchObject({ ttl });
  });

  it("a file on an external lease", () => {
    const foreign = new Map([[FOREIGN, END]]);
    expect(showFile("/a", keyValue(FOREIGN), { ...view, ends: foreign })).toMatchObject({
      ttl,
    });
  });

  it("a directory", () => {
    const lease = encodeLeaseId({ expiration: END, directory: true }, 0);
    const marker = keyValue(lease, lease);
    expect(showDirectory("/a", marker, true, view)).toMatchObject({ ttl });
  });
});

it("a node without a TTL has no ttl", () => {
  const view = { offset: 0, now: END };
  expect(showFile("/a", keyValue("0"), view)).not.toHaveProperty("ttl");
  expect(showDirectory("/a", keyValue("0"), true, view)).not.toHaveProperty("ttl");
});
