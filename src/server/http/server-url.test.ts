import { expect, it } from "vitest";
import { serverUrl } from "./server-url.js";

const plain = { tls: false, localAddress: "10.0.0.1", localPort: 2379 };

it.each([
  "etcd.example:2379",
  "ETCD.example",
  "gateway_1:4001",
  "etcd.example.:2379",
  "10.1.2.3:2379",
  "[2001:db8::1]:2379",
  "[::1]",
])("is the URL in the Host header: %s", (host) => {
  expect(serverUrl(host, plain)).toBe(`http://${host}`);
  expect(serverUrl(host, { ...plain, tls: true })).toBe(`https://${host}`);
});

it.each([
  undefined,
  "",
  " ",
  "a b",
  "user@a",
  "user:password@a:2379",
  "a/b",
  "http://a",
  "a?b",
  "a#b",
  "a,b",
  "a\\b",
  "a\nb",
  "a\0",
  "a%41",
  "größe",
  "<b>",
  "a:",
  "a:b",
  "a:65536",
  "a:123456",
  "::1",
  "[::1",
  "[fe80::1%25eth0]:2379",
  "[::1::2]",
  "1.2.3.4.5",
  "a:1:2",
  `${"a".repeat(300)}:1`,
])("is the local address if Host is unusable: %j", (host) => {
  expect(serverUrl(host, plain)).toBe("http://10.0.0.1:2379");
});

it.each([
  ["::ffff:10.0.0.1", "http://10.0.0.1:2379"],
  ["::1", "http://[::1]:2379"],
  ["fe80::1%eth0", "http://[fe80::1]:2379"],
])("contains the local address %s as part of a URL", (localAddress, url) => {
  expect(serverUrl(undefined, { ...plain, localAddress })).toBe(url);
});

it("is unknown on a closed connection", () => {
  expect(serverUrl(undefined, { tls: false })).toBeUndefined();
});
