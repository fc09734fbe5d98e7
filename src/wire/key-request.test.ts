import { describe, expect, test } from "vitest";
import type { KeyRequest } from "../model/key-request.js";
import { encodeKeyRequest, encodeWatchRequest } from "./key-request.js";

const lineOf = (request: KeyRequest): string => {
  const { method, path, body } = encodeKeyRequest(request);
  return [method, path, body].filter((part) => part !== undefined).join(" ");
};

describe("a key request on the wire", () => {
  test.each<[KeyRequest, string]>([
    [{ action: "get", key: "/" }, "GET /v2/keys/"],
    [{ action: "get", key: "/a/" }, "GET /v2/keys/a/"],
    [
      { action: "get", key: "/a", recursive: true, sorted: true, quorum: true },
      "GET /v2/keys/a?recursive=true&sorted=true&quorum=true",
    ],
    [{ action: "set", key: "/a", value: "" }, "PUT /v2/keys/a value="],
    [{ action: "set", key: "/a", value: "x y&z", ttl: 0 }, "PUT /v2/keys/a value=x%20y%26z&ttl=0"],
    [{ action: "set", key: "/a", dir: true, ttl: 5 }, "PUT /v2/keys/a ttl=5&dir=true"],
    [{ action: "set", key: "/a", refresh: true, ttl: 5 }, "PUT /v2/keys/a ttl=5&refresh=true"],
    [{ action: "create", key: "/a", value: "1" }, "PUT /v2/keys/a value=1&prevExist=false"],
    [{ action: "create", key: "/q", value: "1", inOrder: true }, "POST /v2/keys/q value=1"],
    [{ action: "update", key: "/a", value: "1" }, "PUT /v2/keys/a value=1&prevExist=true"],
    [
      { action: "compareAndSwap", key: "/a", value: "2", prevValue: "1", prevIndex: 7 },
      "PUT /v2/keys/a value=2&prevValue=1&prevIndex=7",
    ],
    [{ action: "delete", key: "/a", recursive: true }, "DELETE /v2/keys/a?recursive=true"],
    [{ action: "compareAndDelete", key: "/a", prevIndex: 7 }, "DELETE /v2/keys/a?prevIndex=7"],
  ])("%o", (request, line) => {
    expect(lineOf(request)).toBe(line);
  });

  test("escapes every byte outside the unreserved set in each segment of the path", () => {
    const { path } = encodeKeyRequest({ action: "get", key: "/a b/ü?#%+;'(*)!/~-._" });
    expect(path).toBe("/v2/keys/a%20b/%C3%BC%3F%23%25%2B%3B%27%28%2A%29%21/~-._");
  });

  test("contains no value in the operation that messages name", () => {
    const { operation } = encodeKeyRequest({ action: "set", key: "/a", value: "secret" });
    expect(operation).toBe("PUT /a");
  });

  test("marks reads as repeatable and all other requests as not", () => {
    const safety = (request: KeyRequest): string => encodeKeyRequest(request).safety;
    expect(safety({ action: "get", key: "/a", quorum: true })).toBe("read");
    expect(safety({ action: "set", key: "/a", value: "1" })).toBe("write");
    expect(safety({ action: "delete", key: "/a" })).toBe("write");
  });
});

test("a watch is a local read that waits", () => {
  expect(encodeWatchRequest({ key: "/a", recursive: true, waitIndex: 7 })).toMatchObject({
    path: "/v2/keys/a?wait=true&recursive=true&waitIndex=7",
    safety: "read",
    scope: "local",
  });
});
