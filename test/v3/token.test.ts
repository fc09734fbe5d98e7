import { expect, it } from "vitest";
import { EtcdClient, OutcomeUnknownError } from "../../src/index.js";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import { createGateway } from "../../src/server/index.js";
import { eventOf } from "../contract/events.js";
import { describeEtcdSideBySide, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { ALICE, enableAuth, ROOT } from "./v3-auth.js";
import { apiOf, grpcCalls, V3Tool } from "./v3-tools.js";

/** An etcd with v3 auth, whose tokens expire after a second, and Alice, who may use `/alice`. */
async function startWithAuth(release: "3.4" | "3.6" | "3.7"): Promise<EtcdCluster> {
  const etcd = await startEtcd({ release, v2: false, args: ["--auth-token-ttl=1"] });
  const tool = new V3Tool(etcd.urls);
  await enableAuth(tool);
  tool.close();
  return etcd;
}

/** Longer than the lifetime of a token. */
const outlive = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2_500));

for (const release of ["3.4", "3.6", "3.7"] as const) {
  describeEtcdSideBySide(release, `v3 auth of etcd ${release}`, () => {
    it("an expired token is renewed, for calls and during a watch", async () => {
      await using etcd = await startWithAuth(release);
      await using proxy = await FaultProxy.before(etcd.urls[0]);
      const keySpace = new V3KeySpace(apiOf([proxy.url], ALICE), { keyPrefix: "/alice" });
      const watch = await keySpace.openWatch({ key: "/a" });
      const event = eventOf(watch);
      await outlive();
      // The watch is reopened with a token that etcd does not know any more.
      await proxy.cut();
      const calls = Array.from({ length: 20 }, (_, number) =>
        keySpace.execute({ action: "set", key: `/calls/${number}`, value: "1" }),
      );
      await Promise.all(calls);
      await keySpace.execute({ action: "set", key: "/a", value: "1" });
      expect(await event).toMatchObject({ action: "set", node: { key: "/a", value: "1" } });
      const authentications = await grpcCalls(etcd.urls[0], "Authenticate");
      expect(authentications).toBeGreaterThan(1);
      expect(authentications).toBeLessThanOrEqual(3);
      await keySpace.close();
    });

    it("errors for a missing permission and a wrong password contain no secrets", async () => {
      await using etcd = await startWithAuth(release);
      const { urls } = etcd;
      const cases = [
        { urls, api: "v3", ...ALICE },
        { urls, api: "v3", keyPrefix: "/alice" },
        { urls, api: "v3", keyPrefix: "/alice", ...ALICE, password: "wrong secret" },
      ] as const;
      for (const options of cases) {
        await using client = new EtcdClient(options);
        const failures = await Promise.all([
          client.getNode("/a").catch((error: unknown) => error),
          client.setNode("/a", "1").catch((error: unknown) => error),
          client.watchNode("/a").catch((error: unknown) => error),
        ]);
        for (const failure of failures) {
          expect(failure).toMatchObject({ name: "UnauthorizedError", errorCode: 110 });
          expect(String(failure)).not.toContain("secret");
          expect(failure).not.toBeInstanceOf(OutcomeUnknownError);
        }
      }
    });

    it("a gateway does not start with a user that the cluster refuses", async () => {
      await using etcd = await startWithAuth(release);
      const wrong = { urls: etcd.urls, username: "root", password: "wrong secret" };
      const gateway = createGateway({ etcd: wrong });
      await expect(gateway).rejects.toMatchObject({ name: "UnauthorizedError" });
    });
  });
}

describeEtcdSideBySide("3.7", "a password that changes in etcd 3.7", () => {
  it("may be known here before etcd has it, or after", async () => {
    await using etcd = await startWithAuth("3.7");
    const { urls } = etcd;
    const change = async (next: string): Promise<void> => {
      const root = new V3Tool(urls, ROOT);
      await root.ask("auth/user/changepw", { name: "alice", password: next });
      root.close();
    };
    let current = ALICE.password;
    const password = async () => current;
    await using client = new EtcdClient({
      urls,
      api: "v3",
      keyPrefix: "/alice",
      ...ALICE,
      password,
    });
    await client.setNode("/a", "1");
    current = "second secret";
    await outlive();
    // etcd refuses the new password, so the former one is used.
    await client.setNode("/a", "2");
    await change("second secret");
    await client.setNode("/a", "3");
    await change("third secret");
    const failure = await client.setNode("/a", "4").catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "UnauthorizedError", errorCode: 110 });
    expect(String(failure)).not.toContain("secret");
    current = "third secret";
    await client.setNode("/a", "5");
  });
});
