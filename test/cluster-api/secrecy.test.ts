import { inspect } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient, type EtcdClientOptions } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";

const USERNAME = "root";
const PASSWORD = "s3cret-password";
const PROXY_PASSWORD = "s3cret-of-the-proxy";

/** The passwords as they are and as Basic auth sends them. */
const SECRETS = [
  PASSWORD,
  PROXY_PASSWORD,
  Buffer.from(`${USERNAME}:${PASSWORD}`).toString("base64"),
  Buffer.from(`${USERNAME}:${PROXY_PASSWORD}`).toString("base64"),
];

/** All texts that logging a value can produce. */
const shown = (value: unknown) =>
  [
    String(value),
    value instanceof Error ? `${value.stack}` : "",
    inspect(value, { depth: 10, showHidden: true, getters: true }),
    JSON.stringify(value) ?? "",
  ].join("\n");

const expectSecrecy = (value: unknown) => {
  const text = shown(value);
  for (const secret of SECRETS) expect(text).not.toContain(secret);
};

const failureOf = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => expect.fail("the call should have failed"),
    (error: unknown) => error,
  );

describeWithEtcd("3.4", "credentials are never shown", () => {
  let cluster: EtcdCluster;
  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4", rootPassword: PASSWORD });
  });
  afterAll(() => cluster.stop());

  const clientWith = (options: EtcdClientOptions = {}) =>
    new EtcdClient({ urls: cluster.urls, username: USERNAME, password: PASSWORD, ...options });

  test("by a client, used or not", async () => {
    await using etcd = clientWith();
    expectSecrecy(etcd);
    await etcd.setNode("/a", "1");
    expectSecrecy(etcd);
    expectSecrecy(etcd.auth);
    expectSecrecy(etcd.members);
    expectSecrecy(etcd.namespace("/a"));
  });

  test("by errors of etcd", async () => {
    await using etcd = clientWith();
    expectSecrecy(await failureOf(etcd.getNode("/missing")));
    expectSecrecy(await failureOf(etcd.auth.users.get("missing")));
    await using wrong = clientWith({ password: PROXY_PASSWORD });
    expectSecrecy(await failureOf(wrong.getNode("/a")));
    expectSecrecy(await failureOf(wrong.auth.users.list()));
  });

  test("by errors about a new password", async () => {
    await using etcd = clientWith();
    const password = PROXY_PASSWORD;
    expectSecrecy(await failureOf(etcd.auth.users.update("nobody", { password, grant: ["r"] })));
    await using unreachable = clientWith({ urls: ["http://127.0.0.1:9"] });
    expectSecrecy(await failureOf(unreachable.auth.users.create("u", { password })));
  });

  test("when no endpoint responds", async () => {
    await using etcd = clientWith({ urls: ["http://127.0.0.1:9", "http://127.0.0.1:10"] });
    expectSecrecy(await failureOf(etcd.getNode("/a")));
    expectSecrecy(await failureOf(etcd.setNode("/a", "1")));
    expectSecrecy(await failureOf(etcd.watchNode("/a")));
  });

  test("when a call is aborted or takes too long", async () => {
    cluster.members[0].pause();
    try {
      await using etcd = clientWith({ requestTimeout: 50, writeTimeout: 50 });
      expectSecrecy(await failureOf(etcd.getNode("/a")));
      expectSecrecy(await failureOf(etcd.setNode("/a", "1")));
      const signal = AbortSignal.timeout(10);
      expectSecrecy(await failureOf(etcd.setNode("/a", "1", { signal })));
    } finally {
      cluster.members[0].resume();
    }
  });

  test("when a proxy that needs credentials is not there", async () => {
    const useProxy = `http://${USERNAME}:${PROXY_PASSWORD}@127.0.0.1:9`;
    for (const urls of [cluster.urls, ["https://127.0.0.1:9"]]) {
      await using etcd = clientWith({ urls, useProxy });
      expectSecrecy(etcd);
      expectSecrecy(await failureOf(etcd.setNode("/a", "1")));
      expectSecrecy(etcd);
    }
  });

  test.each<[string, EtcdClientOptions]>([
    ["urls", { urls: [`http://${USERNAME}:${PASSWORD}@127.0.0.1:2379`] }],
    ["urls", { urls: [`http://${USERNAME}:${PASSWORD}@127.0.0.1:port`] }],
    ["username", { username: `${USERNAME}:${PASSWORD}` }],
    ["useProxy", { useProxy: `ftp://${USERNAME}:${PROXY_PASSWORD}@127.0.0.1:9` }],
    ["useProxy", { useProxy: `http://${USERNAME}:${PROXY_PASSWORD}@127.0.0.1:port` }],
  ])("when the option %s is refused", (name, options) => {
    try {
      clientWith(options);
      expect.fail("the options should have been refused");
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError);
      expect(error).toMatchObject({ message: expect.stringContaining(name) });
      expectSecrecy(error);
    }
  });
});
