import { describe, expect, it } from "vitest";
import type { KeyValue } from "../../../etcd3/rpcs.js";
import { NO_LEASE } from "../../../etcd3/transaction.js";
import { encodeLeaseId } from "../schema/lease-id.js";
import { isInUse, type Move, movesIn, type Subtree } from "./directory-leases.js";

const at = (second: number, directory: boolean): string =>
  encodeLeaseId({ expiration: Date.UTC(2030, 0, 1, 0, 0, second), directory }, 0);

const former = at(10, true);
const FOREIGN = "7587863094351626502";

function kv(key: string, lease: string, value = ""): KeyValue {
  return {
    key: Buffer.from(key),
    value: Buffer.from(value),
    lease,
    create_revision: 1,
    mod_revision: 1,
    version: 1,
  };
}

interface Nodes extends Partial<Omit<Subtree, "marker">> {
  readonly lease?: string;
}

function subtree({ lease = NO_LEASE, ...nodes }: Nodes): Subtree {
  const none = { markers: new Map(), files: new Map(), orders: new Map(), ttls: new Map() };
  return { path: "/d", marker: kv("d", lease), ...none, ...nodes };
}

function moved(nodes: Nodes): Record<string, string> {
  return Object.fromEntries(movesIn(subtree(nodes)).map(({ kv, lease }: Move) => [kv.key, lease]));
}

describe("moves below a directory whose TTL was changed", () => {
  it("moves everything that was on its former lease", () => {
    const lease = at(20, true);
    const markers = new Map([["/d/sub", kv("sub", former)]]);
    const files = new Map([["/d/sub/file", kv("file", former)]]);
    expect(moved({ lease, markers, files })).toEqual({ sub: lease, file: lease });
    expect(moved({ markers, files })).toEqual({ sub: NO_LEASE, file: NO_LEASE });
  });

  it("moves the order records of in-order keys, of the directory and of those below", () => {
    const lease = at(20, true);
    const own = at(15, true);
    const markers = new Map([["/d/sub", kv("sub", own, own)]]);
    const orders = new Map([
      ["/d", kv("order", former)],
      ["/d/sub", kv("order of sub", former)],
    ]);
    expect(moved({ lease, markers, orders })).toEqual({ order: lease, "order of sub": own });
    expect(moved({ orders })).toEqual({ order: NO_LEASE, "order of sub": NO_LEASE });
  });

  it("does not move files that expire earlier", () => {
    const files = new Map([["/d/file", kv("file", at(5, false))]]);
    expect(moved({ lease: at(20, true), files })).toEqual({});
    expect(moved({ lease: at(4, true), files })).toEqual({ file: at(4, true) });
  });

  it("restores the TTL of a subdirectory if it is the earlier one", () => {
    const own = at(15, true);
    const markers = new Map([["/d/sub", kv("sub", former, own)]]);
    const files = new Map([["/d/sub/file", kv("file", former)]]);
    expect(moved({ lease: at(20, true), markers, files })).toEqual({ sub: own });
    const renewed = new Map([["/d/sub", kv("sub", own, own)]]);
    expect(moved({ lease: at(20, true), markers: renewed, files })).toEqual({ file: own });
  });

  it("restores the recorded TTL of a file if it is the earlier one", () => {
    const own = at(15, false);
    const files = new Map([["/d/file", kv("file", former)]]);
    const ttls = new Map([["/d/file", kv("ttl", former, own)]]);
    expect(moved({ lease: at(20, true), files, ttls })).toEqual({ file: own });
    expect(moved({ files, ttls })).toEqual({ file: own });
    expect(moved({ lease: at(12, true), files, ttls })).toEqual({ file: at(12, true) });
    const changed = new Map([["/d/file", { ...kv("file", former), mod_revision: 2 }]]);
    expect(moved({ lease: at(20, true), files: changed, ttls })).toEqual({ file: at(20, true) });
    const damaged = new Map([["/d/file", kv("ttl", former, at(15, true))]]);
    expect(moved({ lease: at(20, true), files, ttls: damaged })).toEqual({ file: at(20, true) });
  });

  it("uses the nearest marker above implied directories", () => {
    const files = new Map([["/d/implied/file", kv("file", NO_LEASE)]]);
    expect(moved({ lease: former, files })).toEqual({ file: former });
  });

  it("does not change external leases", () => {
    const files = new Map([["/d/file", kv("file", FOREIGN)]]);
    expect(moved({ lease: former, files })).toEqual({});
  });

  it("relies on a marker that is on the lease, unless the lease is new or none", () => {
    const lease = at(20, true);
    const own = at(15, true);
    const holders = (nodes: Nodes): Record<string, string | undefined> =>
      Object.fromEntries(
        movesIn(subtree(nodes)).map(({ kv, holder }: Move) => [kv.key, holder?.toString()]),
      );
    const files = new Map([
      ["/d/file", kv("file", former)],
      ["/d/sub/file", kv("file of sub", former)],
    ]);
    const markers = new Map([["/d/sub", kv("sub", own, own)]]);
    expect(holders({ lease, markers, files })).toEqual({ file: "d", "file of sub": "sub" });
    expect(holders({ files })).toEqual({ file: undefined, "file of sub": undefined });
    const inherited = new Map([["/d/sub", kv("sub", former, own)]]);
    expect(holders({ markers: inherited, files })).toEqual({ sub: undefined });
  });
});

describe("a lease of a subtree", () => {
  it("is in use while any marker, file or order record is on it", () => {
    const lease = at(20, true);
    const one = (at: string) => new Map([["/d/x", kv("x", at)]]);
    expect(isInUse(former, subtree({ lease, files: one(lease), markers: one(lease) }))).toBe(false);
    expect(isInUse(former, subtree({ lease: former }))).toBe(true);
    for (const kind of ["files", "markers", "orders"] as const) {
      expect(isInUse(former, subtree({ lease, [kind]: one(former) }))).toBe(true);
    }
  });
});
