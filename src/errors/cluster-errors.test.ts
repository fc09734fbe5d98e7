import { expect, test } from "vitest";
import { ClusterUnavailableError } from "./cluster-errors.js";

const failed = (code: string) => ({
  endpoint: "http://127.0.0.1:1",
  cause: Object.assign(new Error(`connect ${code}`), { code }),
  when: new Date(0),
});

test.each([
  [[failed("ECONNREFUSED"), failed("ECONNREFUSED")], true],
  [[failed("ECONNREFUSED"), failed("ECONNRESET")], false],
  [[], false],
])("the message gives advice only if every connection was refused", (attempts, expected) => {
  const { message } = new ClusterUnavailableError("GET /a", attempts);
  expect(message.endsWith("check the endpoints, and that etcd is running")).toBe(expected);
});
