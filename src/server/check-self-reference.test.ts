import { expect, test } from "vitest";
import { checkSelfReference } from "./check-self-reference.js";

const check = (url: string, host: string) => () =>
  checkSelfReference(["http://a:2379", url], host, 2379);

test.each([
  ["http://127.0.0.1:2379", "127.0.0.1"],
  ["http://localhost:2379", "127.0.0.1"],
  ["http://127.0.0.1:2379", "0.0.0.0"],
  ["https://[::1]:2379", "::"],
  ["http://gateway:2379", "gateway"],
])("a gateway for %s refuses to listen at %s", (url, host) => {
  expect(check(url, host)).toThrow(
    `port: 2379 is also the port of the endpoint "${url}": the gateway would connect to itself`,
  );
});

test.each([
  ["http://127.0.0.1:2380", "127.0.0.1"],
  ["http://127.0.0.2:2379", "127.0.0.1"],
  ["http://127.0.0.1:2379", "10.0.0.1"],
  ["http://etcd:2379", "0.0.0.0"],
  ["http://127.0.0.1", "0.0.0.0"],
])("a gateway for %s may listen at %s", (url, host) => {
  expect(check(url, host)).not.toThrow();
});
