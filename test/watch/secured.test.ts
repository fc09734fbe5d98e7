/** `watch()` on clusters that require client certificates and permissions. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient, type EtcdClientOptions, type PemCertificate } from "../../src/index.js";
import { clientCertificate, serverCertificate } from "../support/certificates.js";
import { describeWithEtcd, type EtcdCluster, type Release, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { ALICE, enableAuth, ROOT, revokeFromAlice } from "../v3/v3-auth.js";
import { V3Tool } from "../v3/v3-tools.js";

/** The setup of one API, in which Alice may use only her part of the tree. */
interface ApiSetup {
  readonly release: Release;
  readonly start: Parameters<typeof startEtcd>[0];
  readonly certificate: PemCertificate;
  readonly options: EtcdClientOptions;
  /** Alice's directory, as a client with `options` names it. */
  readonly key: string;
  enableAuth(cluster: EtcdCluster): Promise<void>;
  revoke(cluster: EtcdCluster): Promise<void>;
}

/** On v2, a common name without a user is a guest. A certificate without a name makes etcd 3.4 panic. */
const NAMED = clientCertificate("nobody");
/** With auth on, etcd's JSON gateway rejects certificates with a common name: it cannot apply it. */
const NAMELESS = serverCertificate();

const SETUPS: readonly (readonly [string, ApiSetup])[] = [
  [
    "v2",
    {
      release: "3.4",
      start: { release: "3.4", clientCertAuth: true, rootPassword: ROOT.password },
      certificate: NAMED,
      options: {},
      key: "/alice",
      async enableAuth(cluster) {
        await using root = new EtcdClient({ ...connectionTo(cluster, NAMED), ...ROOT });
        const keys = ["/alice*"];
        await root.auth.roles.create("alice", { read: keys, write: keys });
        await root.auth.users.create("alice", { password: ALICE.password, roles: ["alice"] });
        await root.auth.roles.update("guest", { revoke: { read: ["/*"], write: ["/*"] } });
      },
      async revoke(cluster) {
        await using root = new EtcdClient({ ...connectionTo(cluster, NAMED), ...ROOT });
        const keys = ["/alice*"];
        await root.auth.roles.update("alice", { revoke: { read: keys } });
      },
    },
  ],
  [
    "v3",
    {
      release: "3.7",
      start: { release: "3.7", clientCertAuth: true },
      certificate: NAMELESS,
      options: { api: "v3", keyPrefix: "/alice" },
      key: "/dir",
      async enableAuth(cluster) {
        const tool = new V3Tool(cluster.urls, undefined, connectionTo(cluster, NAMELESS));
        await enableAuth(tool);
        tool.close();
      },
      async revoke(cluster) {
        const tool = new V3Tool(cluster.urls, ROOT, connectionTo(cluster, NAMELESS));
        await revokeFromAlice(tool);
        tool.close();
      },
    },
  ],
];

for (const [api, setup] of SETUPS) {
  const { release, key } = setup;
  describeWithEtcd(release, `a watch over TLS with a client certificate, on ${api}`, () => {
    let cluster: EtcdCluster;
    let proxy: FaultProxy;
    let alice: EtcdClient;
    beforeAll(async () => {
      cluster = await startEtcd(setup.start);
      await setup.enableAuth(cluster);
      proxy = await FaultProxy.before(cluster.urls[0]);
      alice = clientWith(ALICE);
    });
    afterAll(async () => {
      await alice?.close();
      await proxy?.close();
      await cluster?.stop();
    });

    const clientWith = (user: EtcdClientOptions): EtcdClient =>
      new EtcdClient({
        ...connectionTo(cluster, setup.certificate),
        urls: [proxy.url],
        ...setup.options,
        ...user,
      });

    test("delivers every change to a permitted user, also after its connection was cut", async () => {
      const watcher = alice.watch(key, { recursive: true, initial: true });
      expect(await watcher.next()).toMatchObject({ value: { type: "resync", response: null } });
      for (const value of ["1", "2", "3"]) {
        await alice.setNode(`${key}/a`, value);
        const change = { type: "change", response: { node: { value } } };
        expect(await watcher.next()).toMatchObject({ value: change });
        await proxy.cut();
      }
      watcher.close();
    });

    test("rejects with UnauthorizedError for a user without permission", async () => {
      for (const user of [{}, { ...ALICE, password: "wrong" }]) {
        await using stranger = clientWith(user);
        for (const options of [{}, { initial: true }, { from: 1 }]) {
          const watcher = stranger.watch(key, options);
          await expect(watcher.next()).rejects.toMatchObject({ name: "UnauthorizedError" });
        }
      }
    });

    test("rejects after the permission is revoked, as soon as it reconnects", async () => {
      const watcher = alice.watch(key, { recursive: true, initial: true });
      await watcher.next();
      const next = watcher.next();
      await setup.revoke(cluster);
      await proxy.cut();
      await expect(next).rejects.toMatchObject({ name: "UnauthorizedError" });
    });
  });
}

/** The options with which a client connects to a cluster. */
function connectionTo({ urls, ca = "" }: EtcdCluster, x509Certificate: PemCertificate) {
  return { urls, ca, x509Certificate };
}
