import { expect, it } from "vitest";
import { V3RefusedError } from "../../../errors/v3-errors.js";
import { fromJson, toJson } from "../../../etcd3/json-form.js";
import { read } from "../../../etcd3/transaction.js";
import { TransactionSize } from "../../../etcd3/transaction-size.js";
import { type V3Api, type V3Call, V3Response } from "../../../etcd3/v3-api.js";
import { systemClock } from "../../../time/clock.js";
import { KeySchema } from "./key-schema.js";
import { V3Tree } from "./v3-tree.js";

const TOO_MANY = "etcdserver: too many operations in txn request";
const TOO_LARGE = "etcdserver: request is too large";
const GRPC_TOO_LARGE = "grpc: received message larger than max (9 vs. 8)";
const CALL: V3Call = { operation: "GET /", key: "/", safety: "read", scope: "quorum" };

const refusal = (detail: string) => new V3RefusedError("PUT /", "http://a", 3, detail);

/** An etcd that accepts this many operations per transaction, and responds to each read with its key. */
function etcdTaking(operations: number, detail: string) {
  const taken: number[] = [];
  const api: V3Api = {
    async call({ request: type, response }, request) {
      const { success } = toJson(type, request) as {
        success: readonly { request_range: { key: string } }[];
      };
      taken.push(success.length);
      if (success.length > operations) throw refusal(detail);
      const responses = success.map(({ request_range: { key } }) => ({
        response_range: { kvs: [{ key }] },
      }));
      return new V3Response(fromJson(response, { header: { revision: 7 }, responses }), "http://a");
    },
    watch: () => Promise.reject(new Error("no streams here")),
    close: () => {},
  };
  return { store: new V3Tree(api, new KeySchema(), systemClock), taken };
}

async function readKeys(store: V3Tree, count: number): Promise<void> {
  const keys = Array.from({ length: count }, (_, number) => `key ${number}`);
  const { results } = await store.read(
    keys.map((key) => read(key)),
    CALL,
  );
  expect(results.map(({ kvs }) => kvs[0]?.key.toString())).toEqual(keys);
}

it("reads are split where etcd takes fewer, which is learned", async () => {
  const { store, taken } = etcdTaking(40, TOO_MANY);
  await readKeys(store, 100);
  expect(taken).toEqual([100, 50, 25, 25, 25, 25]);
  expect(store.size.maxOperations).toBe(25);
  taken.length = 0;
  await readKeys(store, 50);
  expect(taken).toEqual([25, 25]);
});

it.each([TOO_LARGE, GRPC_TOO_LARGE])(
  "reads are split that are too large, once: %s",
  async (detail) => {
    const { store, taken } = etcdTaking(40, detail);
    await readKeys(store, 60);
    expect(taken).toEqual([60, 30, 30]);
    expect(store.size.maxOperations).toBe(128);
  },
);

it("one operation that is refused stays refused", async () => {
  for (const detail of [TOO_MANY, TOO_LARGE]) {
    const { store } = etcdTaking(0, detail);
    await expect(readKeys(store, 3)).rejects.toThrow(detail);
  }
});

it("what is refused for another reason is not sent again", async () => {
  const { store, taken } = etcdTaking(0, "etcdserver: mvcc: database space exceeded");
  await expect(readKeys(store, 3)).rejects.toThrow("space exceeded");
  expect(taken).toEqual([3]);
});

it("writes are sent half by half, in order", async () => {
  const sent: number[][] = [];
  const size = new TransactionSize();
  await size.sendInParts([1, 2, 3, 4, 5], async (part) => {
    if (part.length > 2) throw refusal(TOO_MANY);
    sent.push([...part]);
  });
  expect(sent).toEqual([[1, 2], [3], [4, 5]]);
  expect(size.maxOperations).toBe(2);
});
