import { expect, it } from "vitest";
import { AttemptFailure } from "../wire/attempt-failure.js";
import { decodeV3Response } from "./decode-response.js";
import { RPC } from "./rpcs.js";

const PUT = { operation: "PUT /a", key: "/a", safety: "write", scope: "quorum" } as const;

it.each([
  ["no header", "{}"],
  ["an id that is no number", '{"header":{"cluster_id":"\u{fffd}"}}'],
  ["a negative revision", '{"header":{"cluster_id":"1","revision":"-5"}}'],
  ["a negative revision of a key", '{"header":{},"prev_kv":{"mod_revision":"-5"}}'],
  ["a revision that is no number", '{"header":{"cluster_id":"1","revision":"x"}}'],
  ["a key that is no text", '{"header":{},"prev_kv":{"key":1}}'],
])("an answer with %s leaves the outcome of a write unknown", (_what, body) => {
  const response = { status: 200, headers: {}, endpoint: "http://a:1", body };
  const decode = () => decodeV3Response(RPC.put, PUT, response);
  expect(decode).toThrow(AttemptFailure);
  expect(decode).toThrow(expect.objectContaining({ processed: "unknown" }));
});
