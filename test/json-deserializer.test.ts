import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient, OutcomeUnknownError, ProtocolError } from "../src/index.js";
import { good, type OddServer, startOddServer } from "./odd-server.js";

let server: OddServer;

beforeAll(async () => {
  server = await startOddServer(good);
});
afterAll(() => server?.[Symbol.asyncDispose]());

test("a custom deserializer parses every response of the key space", async () => {
  const texts: string[] = [];
  await using own = new EtcdClient({
    urls: [server.url],
    jsonDeserializer: (text) => {
      texts.push(text);
      return JSON.parse(text.replaceAll('"1"', '"one"'));
    },
  });
  expect((await own.getNode("/a")).node.value).toBe("one");
  expect((await own.setNode("/a", "1")).node.value).toBe("one");
  expect(texts).toHaveLength(2);
});

test.each([
  ["undefined", () => undefined],
  ["a promise", async () => ({ action: "get" })],
  ["a list", () => []],
  ["another shape", () => ({ action: "get", node: { key: "/a", value: 1 } })],
  [
    "an error",
    () => {
      throw new RangeError("cannot read this");
    },
  ],
])("the result of a deserializer is checked: %s", async (_what, jsonDeserializer) => {
  await using own = new EtcdClient({ urls: [server.url], jsonDeserializer });
  await expect(own.getNode("/a")).rejects.toThrow(ProtocolError);
  await expect(own.setNode("/a", "1")).rejects.toThrow(OutcomeUnknownError);
});
