import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { MAX_AGE_MS } from "../../src/key-space/decorators/caching-key-space.js";
import { createGateway, type Gateway } from "../../src/server/index.js";
import { type Clock, systemClock } from "../../src/time/clock.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { V3Tool } from "../v3/v3-tools.js";

/** A clock that can be advanced. */
let skipped = 0;
const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skipped };

describeWithEtcd("3.7", "a user who is revoked through one gateway", () => {
  let etcd: EtcdCluster;
  let proxy: FaultProxy;
  let one: Gateway;
  let other: Gateway;
  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.7" });
    proxy = await FaultProxy.before(etcd.urls[0]);
    one = await createGateway({ etcd: { urls: etcd.urls }, rootPassword: "top" });
    other = await createGateway({ etcd: { urls: [proxy.url], clock } });
  });
  afterAll(async () => {
    await Promise.all([one?.close(), other?.close()]);
    await proxy?.close();
    await etcd?.stop();
  });
  beforeEach(async () => {
    await ask(one, "PUT", "/v2/auth/roles/dev", "root:top", {
      role: "dev",
      permissions: { kv: { read: ["/dev/*"], write: ["/dev/*"] } },
    });
    await ask(one, "PUT", "/v2/auth/users/ann", "root:top", {
      user: "ann",
      password: "a",
      roles: ["dev"],
    });
    skipped += MAX_AGE_MS;
    await vi.waitUntil(async () => (await annReads(other)) !== 401, { timeout: 60_000 });
  });

  async function ask(gateway: Gateway, method: string, path: string, as: string, body?: object) {
    const authorization = `Basic ${Buffer.from(as).toString("base64")}`;
    const init = {
      method,
      headers: { authorization },
      ...(body && { body: JSON.stringify(body) }),
    };
    return await fetch(gateway.url + path, init);
  }

  const annReads = async (gateway: Gateway): Promise<number> =>
    (await ask(gateway, "GET", "/v2/keys/dev/a", "ann:a")).status;

  it("is refused by the other as soon as its watch delivers the change", async () => {
    await ask(one, "DELETE", "/v2/auth/users/ann", "root:top");
    expect(await annReads(one)).toBe(401);
    await expect.poll(() => annReads(other)).toBe(401);
  });

  it("gets no more events from watches at the other, which end", async () => {
    const watches = await Promise.all(
      ["", "&stream=true"].map((stream) =>
        ask(other, "GET", `/v2/keys/dev/?wait=true&recursive=true${stream}`, "ann:a"),
      ),
    );
    await ask(one, "DELETE", "/v2/auth/users/ann", "root:top");
    const texts = await Promise.all(watches.map((watch) => watch.text()));
    expect(texts).toEqual(["", ""]);
  });

  it("is refused by the other within the limit, while the connection of its watches is dead", async () => {
    await proxy.freezeIdle(async () => {
      for (let number = 0; number < 10; number++) {
        await ask(other, "PUT", "/v2/keys/dev/a?value=1", "ann:a");
      }
    });
    await ask(one, "DELETE", "/v2/auth/users/ann", "root:top");
    skipped += MAX_AGE_MS;
    expect(await annReads(other)).toBe(401);
    const write = await ask(other, "PUT", "/v2/keys/dev/a?value=2", "ann:a");
    expect(write.status).toBe(401);
  });

  it("cannot disable auth by deleting its record", async () => {
    const tool = new V3Tool(etcd.urls);
    await tool.delPrefix("etcdnet_auth/=/");
    tool.close();
    skipped += MAX_AGE_MS;
    for (const gateway of [one, other]) {
      const statusOf = async () => (await fetch(`${gateway.url}/v2/keys/`)).status;
      await expect.poll(statusOf).toBe(401);
      expect(await annReads(gateway)).toBe(401);
    }
  });
});
