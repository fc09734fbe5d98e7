import { expect, it } from "vitest";
import {
  clampLeaseTime,
  decodeLeaseId,
  encodeLeaseId,
  endOfLease,
  isFileLease,
  LAST_EXPIRATION,
} from "./lease-id.js";

const NOON = Date.UTC(2026, 10, 22, 12, 0, 0, 123);

it("contains the expiry and whether the TTL is a directory's", () => {
  for (const expiration of [NOON, Date.UTC(2020, 0, 1), LAST_EXPIRATION]) {
    for (const directory of [true, false]) {
      const id = encodeLeaseId({ expiration, directory }, 31);
      expect(decodeLeaseId(id)).toEqual({ expiration, directory });
    }
  }
});

it("the end of a lease is a valid date for every TTL that a server can send", () => {
  expect(endOfLease(60, NOON)).toBe(NOON + 60_000);
  const end = new Date(endOfLease(Number.MAX_SAFE_INTEGER, NOON));
  expect(end.getUTCFullYear()).toBe(2312);
});

it("contains the nearest possible time when clocks are wrong or a TTL is very long", () => {
  const first = Date.UTC(2020, 0, 1);
  for (const [moment, expected] of [
    [0, first],
    [first - 1, first],
    [LAST_EXPIRATION + 1, LAST_EXPIRATION],
    [Date.UTC(9999, 0, 1), LAST_EXPIRATION],
  ] as const) {
    const id = encodeLeaseId({ expiration: moment, directory: true }, 31);
    expect(decodeLeaseId(id)).toEqual({ expiration: expected, directory: true });
    expect(clampLeaseTime(moment)).toBe(expected);
  }
  expect(clampLeaseTime(NOON)).toBe(NOON);
});

it("makes ids that differ by their counter alone", () => {
  const ids = Array.from({ length: 33 }, (_, counter) =>
    encodeLeaseId({ expiration: NOON, directory: false }, counter),
  );
  expect(new Set(ids).size).toBe(32);
});

it("makes ids that are positive 64-bit integers and begin with et", () => {
  const id = encodeLeaseId({ expiration: LAST_EXPIRATION, directory: true }, 31);
  expect(BigInt(id)).toBeLessThan(2n ** 63n - 1n);
  expect(BigInt(id).toString(16)).toMatch(/^6574[\da-f]{12}$/);
});

it("does not take external leases for own ones", () => {
  for (const id of ["0", "1", "7587863094351626502", "9223372036854775807", "-7"]) {
    expect(decodeLeaseId(id)).toBeUndefined();
    expect(isFileLease(id)).toBe(false);
  }
});
