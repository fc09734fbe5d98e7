import { expect, it } from "vitest";
import { EtcdClient, isEtcdError } from "../../src/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";

/** What the model assumes of v2 auth. */
for (const release of ["3.4", "3.5"] as const) {
  describeWithEtcd(
    release,
    `a user of etcd ${release} that has lost the permission to write`,
    () => {
      it("does not get it back by a late copy of the request that gave it", async () => {
        await using etcd = await startEtcd({ release });
        const { urls } = etcd;
        await using open = new EtcdClient({ urls });
        await open.auth.users.create("root", { password: "secret" });
        await open.auth.enable();
        await using root = new EtcdClient({ urls, username: "root", password: "secret" });
        const permit = () => root.auth.roles.create("writers-1", { write: ["/*"], read: ["/*"] });
        await permit();
        await root.auth.users.create("writer-1", { password: "own", roles: ["writers-1"] });
        await using writer = new EtcdClient({ urls, username: "writer-1", password: "own" });
        await writer.setNode("/a", "1");

        await root.auth.roles.update("writers-1", { revoke: { write: ["/*"] } });
        await expect(writer.setNode("/a", "2")).rejects.toSatisfy(isUnauthorized);
        await expect(permit()).rejects.toMatchObject({ status: 409 });
        await expect(writer.setNode("/a", "3")).rejects.toSatisfy(isUnauthorized);
        const role = await root.auth.roles.get("writers-1");
        expect(role).toMatchObject({ permissions: { kv: { read: ["/*"], write: [] } } });
        expect(await writer.getNodeValue("/a")).toBe("1");
      });
    },
  );
}

function isUnauthorized(error: unknown): boolean {
  return isEtcdError(error, "Unauthorized");
}
