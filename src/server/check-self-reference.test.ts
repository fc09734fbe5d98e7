import { expect, test } from "vitest";
import { checkSelfReference } from "./check-self-reference.js";

const ask = (url: string, host: string) => () =>
  checkSelfReference(["http://a:2379", url], host, 2379);

test.each([
  ["http://127.0.0.1:2379", "127.0.0.1"],
  ["http://localhost:2379", "127.0.0.1"],
  ["http://127.0.0.1:2379", "0.0.0.0"],
  ["https://[::1]:2379", "::"],
  ["http://gateway:2379", "gateway"],
])("a gateway before %s does not listen there, at %s", (url, host) => {
  expect(ask(url, host)).toThrow(`port: is 2379, as in "${url}": the gateway would ask itself`);
});

test.each([
  ["http://127.0.0.1:2380", "127.0.0.1"],
  ["http://127.0.0.2:2379", "127.0.0.1"],
  ["http://127.0.0.1:2379", "10.0.0.1"],
  ["http://etcd:2379", "0.0.0.0"],
  ["http://127.0.0.1", "0.0.0.0"],
])("a gateway before %s may listen at %s", (url, host) => {
  expect(ask(url, host)).not.toThrow();
});
