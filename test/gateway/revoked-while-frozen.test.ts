import { afterAll, beforeAll, expect, it } from "vitest";
import { MAX_AGE_MS } from "../../src/key-space/decorators/caching-key-space.js";
import { REVIEW_INTERVAL_MS } from "../../src/server/auth/watch-review.js";
import { createGateway, type Gateway } from "../../src/server/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { SkippingClock } from "../support/skipping-clock.js";

const clock = new SkippingClock();

/** Kinds of revocation, each as a request of root. */
const REVOCATIONS: Readonly<Record<string, readonly [string, object?]>> = {
  deleted: ["DELETE"],
  deprived: ["PUT", { revoke: ["dev"] }],
  changed: ["PUT", { password: "new" }],
};
const WAYS = Object.keys(REVOCATIONS);

describeWithEtcd("3.6", "while the watches of a gateway are frozen", () => {
  let etcd: EtcdCluster;
  let proxy: FaultProxy;
  let one: Gateway;
  let other: Gateway;
  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.6" });
    proxy = await FaultProxy.before(etcd.urls[0]);
    one = await createGateway({ etcd: { urls: etcd.urls }, rootPassword: "top" });
    other = await createGateway({ etcd: { urls: [proxy.url], clock } });
    const permissions = { kv: { read: ["/dev/*"], write: ["/dev/*"] } };
    await ask(one, "PUT", "/v2/auth/roles/dev", "root:top", { role: "dev", permissions });
    for (const way of WAYS) {
      for (const user of [`reader-${way}`, `late-${way}`]) {
        const body = { user, password: "old", roles: ["dev"] };
        await ask(one, "PUT", `/v2/auth/users/${user}`, "root:top", body);
      }
    }
    clock.skip(MAX_AGE_MS);
  });
  afterAll(async () => {
    await Promise.all([one?.close(), other?.close()]);
    await proxy?.close();
    await etcd?.stop();
  });

  function ask(gateway: Gateway, method: string, path: string, as: string, body?: object) {
    const authorization = `Basic ${Buffer.from(as).toString("base64")}`;
    const init = {
      method,
      headers: { authorization },
      ...(body && { body: JSON.stringify(body) }),
    };
    return fetch(gateway.url + path, init);
  }

  /** The statuses of a read and a write. */
  const uses = (user: string): Promise<number[]> =>
    Promise.all(
      [
        ask(other, "GET", "/v2/keys/dev/a", `${user}:old`),
        ask(other, "PUT", "/v2/keys/dev/a?value=1", `${user}:old`),
      ].map(async (asked) => (await asked).status),
    );

  it("users who are revoked through another gateway are refused within the documented limits", async () => {
    expect((await uses("reader-deleted")).includes(401)).toBe(false);
    const watches = await Promise.all(
      WAYS.flatMap((way) =>
        ["", "&stream=true"].map((stream) =>
          ask(other, "GET", `/v2/keys/dev/?wait=true&recursive=true${stream}`, `reader-${way}:old`),
        ),
      ),
    );
    await proxy.freezeIdle(async () => {
      for (let number = 0; number < 10; number++) {
        await ask(other, "PUT", "/v2/keys/other?value=1", "root:top");
      }
    });
    expect(proxy.frozen).toBeGreaterThan(0);
    // After ten wrong passwords, each check for these users waits for a second, which does not pass.
    clock.hold();
    const guess = (way: string, number: number) =>
      ask(other, "GET", "/v2/keys/dev/a", `late-${way}:${number}`);
    for (let number = 0; number < 10; number++) {
      await Promise.all(WAYS.map((way) => guess(way, number)));
    }
    const flood = Array.from({ length: 30 }, (_, number) =>
      guess(WAYS[number % 3] ?? "", 10 + number),
    );
    const queued = Promise.all(WAYS.map((way) => uses(`late-${way}`)));

    for (const [way, [method, change]] of Object.entries(REVOCATIONS)) {
      for (const user of [`reader-${way}`, `late-${way}`]) {
        const body = change && { user, ...change };
        const { status } = await ask(one, method, `/v2/auth/users/${user}`, "root:top", body);
        expect(status).toBe(200);
      }
    }
    const revokedAt = clock.monotonic();

    clock.skip(MAX_AGE_MS);
    for (const way of WAYS) expect(await uses(`reader-${way}`)).toEqual([401, 401]);
    // For a check that began before the limit, the state at its end counts.
    expect(await queued).toEqual(WAYS.map(() => [401, 401]));
    clock.skip(revokedAt + MAX_AGE_MS + REVIEW_INTERVAL_MS - clock.monotonic());
    expect(await Promise.all(watches.map((watch) => watch.text()))).toEqual(watches.map(() => ""));
    clock.skip(10_000);
    await Promise.all(flood);
  });
});
