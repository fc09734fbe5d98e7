import { expect, it } from "vitest";
import type { KeyValue } from "../../../etcd3/rpcs.js";
import { KeySchema } from "../schema/key-schema.js";
import { encodeLeaseId } from "../schema/lease-id.js";
import { eventsOf } from "./events-of-revision.js";

const schema = new KeySchema();
const DUE = Date.UTC(2026, 0, 1);
const LATE_BY = 5_000;

function kvAt(revision: number, content: Partial<KeyValue>): KeyValue {
  return {
    key: Buffer.from(schema.file("/a")),
    value: Buffer.alloc(0),
    lease: "0",
    create_revision: 3,
    mod_revision: revision,
    version: 1,
    ...content,
  };
}

it("an expire event has the due time, and no negative TTL", () => {
  const lease = encodeLeaseId({ expiration: DUE, directory: false }, 0);
  const prev = kvAt(3, { value: Buffer.from("1"), lease });
  const revision = { number: 7, changes: [{ kv: kvAt(7, {}), deleted: true, prev }] };
  const view = { offset: 0, now: DUE + LATE_BY, hasExpired: () => true };
  expect(eventsOf(revision, schema, view)).toEqual([
    {
      action: "expire",
      node: { key: "/a", modifiedIndex: 7, createdIndex: 3 },
      prevNode: {
        key: "/a",
        value: "1",
        expiration: "2026-01-01T00:00:00Z",
        modifiedIndex: 3,
        createdIndex: 3,
      },
    },
  ]);
});
