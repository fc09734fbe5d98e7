import { expect, it } from "vitest";
import type { V2Request } from "./messages.js";
import { requestOf } from "./v2-request.js";

const NOTHING = Buffer.alloc(0);

function expirationOf(nanoseconds: string): number | undefined {
  const request = {
    ...{ value: NOTHING, dir: false, prevValue: NOTHING, prevIndex: "0", prevExist: [] },
    ...{ expiration: nanoseconds, refresh: [], recursive: false },
  } as unknown as V2Request;
  return requestOf("PUT", "/1/a", request)?.expiration;
}

it("a deadline is never later than in etcd, also shortly before a millisecond", () => {
  for (const nanoseconds of ["1795996020447999999", "1795996020447000000"]) {
    expect(Math.floor(expirationOf(nanoseconds) ?? 0)).toBe(1795996020447);
  }
  expect(expirationOf("1795996020447500000")).toBe(1795996020447.5);
  expect(expirationOf("0")).toBeUndefined();
});
