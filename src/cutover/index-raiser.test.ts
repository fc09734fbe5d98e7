import { expect, it } from "vitest";
import type { EtcdClient } from "../client/etcd-client.js";
import type { RoleChange } from "../key-space/auth-api.js";
import { permitGuests } from "./index-raiser.js";

it("does not fail when v2 does not take the permission of guests away", async () => {
  const changes: RoleChange[] = [];
  const update = async (_: string, change: RoleChange) => {
    changes.push(change);
    if (change.revoke !== undefined) throw new Error("no response");
  };
  const source = { auth: { roles: { update } } } as unknown as EtcdClient;
  await (await permitGuests(source))[Symbol.asyncDispose]();
  const write = ["/_etcdnet_index"];
  expect(changes).toEqual([{ grant: { write } }, { revoke: { write } }]);
});
