import { METHODS } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MemoryClusterApi } from "../../src/key-space/memory/memory-cluster-api.js";
import { MemoryKeySpace } from "../../src/key-space/memory/memory-key-space.js";
import { BrowserAccess } from "../../src/server/http/browser-access.js";
import { Router } from "../../src/server/http/router.js";
import { createSourceGateway } from "../../src/server/index.js";
import { RequestMetrics } from "../../src/server/metrics/request-metrics.js";
import { clusterRoutes } from "../../src/server/routes/cluster-routes.js";
import { membersRoute } from "../../src/server/routes/members-route.js";
import { metricsRoute } from "../../src/server/routes/metrics-route.js";
import { v2Handler } from "../../src/server/routes/v2-handler.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { untilVersionIsDecided } from "../support/until-version-is-decided.js";
import { add, BY_NOBODY, nameOf, put, READS, REFUSALS } from "./cluster-rows.js";
import {
  type Answer,
  membersOf,
  type Sent,
  type Server,
  serverAt,
  serverOf,
} from "./comparable-server.js";

describeWithEtcd("3.4", "the cluster's routes answer like etcd", () => {
  describe("of one member", () => {
    let etcd: EtcdCluster;
    let real: Server;
    let ours: Server;

    beforeAll(async () => {
      etcd = await startEtcd({ release: "3.4" });
      await untilVersionIsDecided({ url: etcd.urls[0] });
      real = serverAt(etcd.urls[0]);
      ours = await twinOf(real);
    });
    afterAll(() => etcd.stop());

    it.each([...READS, ...REFUSALS].map((sent) => [nameOf(sent), sent] as const))(
      "%s",
      async (_name, sent) => {
        expect(await ours(sent)).toEqual(await real(sent));
      },
    );

    it("returns its own statistics in the same form", async () => {
      const sent = { method: "GET", path: "/v2/stats/self" };
      expect(await ours(sent)).toEqual(await real(sent));
    });

    it("returns the store's statistics with the same names in the same order", async () => {
      const sent = { method: "GET", path: "/v2/stats/store" };
      const namesIn = ({ body }: Answer): string => body.replace(/\d+/g, "N");
      expect(namesIn(await ours(sent))).toBe(namesIn(await real(sent)));
    });

    it("has etcd's names for shared metrics", async () => {
      for (const method of ["GET", "PUT"]) await real({ method, path: "/v2/keys/x" });
      const sent = { method: "POST", path: "/metrics" };
      const [mine, theirs] = [await ours(sent), await real(sent)];
      expect(mine.headers).toEqual(theirs.headers);
      const known = typesIn(theirs.body);
      const shared = [...typesIn(mine.body)].filter(([name]) => !name.startsWith("etcdnet_"));
      expect(shared.length).toBeGreaterThan(0);
      for (const [name, type] of shared) expect([name, known.get(name)]).toEqual([name, type]);
    });

    it("does not remove the only member", async () => {
      const [{ id }] = await membersOf(real);
      const sent = { method: "DELETE", path: `/v2/members/${id}` };
      expect(await ours(sent)).toEqual(await real(sent));
    });
  });

  it("through a gateway for v2", async () => {
    await using etcd = await startEtcd({ release: "3.4" });
    const source = { urls: etcd.urls };
    await using gateway = await createSourceGateway({ source, advertise: etcd.urls });
    const [real, ours] = [serverAt(etcd.urls[0]), serverAt(gateway.url)];
    const known = ({ method }: Sent) => METHODS.includes(method);
    for (const sent of [...READS, ...REFUSALS].filter(known)) {
      expect([nameOf(sent), await ours(sent)]).toEqual([nameOf(sent), await real(sent)]);
    }
  });

  describe("whose membership changes", () => {
    let etcd: EtcdCluster;
    let real: Server;
    let ours: Server;

    beforeAll(async () => {
      // Three, because one that added another would lose its quorum at once.
      etcd = await startEtcd({
        release: "3.4",
        members: 3,
        // On a busy machine, a short election timeout loses the leader, and with it requests.
        args: ["--strict-reconfig-check=false", "--election-timeout=3000"],
      });
      real = serverAt(etcd.urls[0]);
      ours = await twinOf(real);
    });
    afterAll(() => etcd.stop());

    it("through the whole life of a member", async () => {
      const [own] = await membersOf(real);
      const urls = ["http://localhost:9", "HTTPS://a:8?x#f", "unix://é:7", "http://u:p@[::1]:6?"];
      const added = await compare(add([...urls, " http://b:1 "]));
      const ids = added.map(({ body }) => JSON.parse(body).id as string);
      const withId = (sent: Sent) => compare(sent, ids);
      await withId(add(["http://c:1", "http://localhost:9"]));
      await withId(put("{added}", ["http://localhost:9"]));
      await withId(put("{added}", ["http://localhost:10"]));
      await withId(put("{added}", own.peerURLs));
      await withId(put(own.id, ["http://localhost:10"]));
      await withId(put(own.id, own.peerURLs));
      await withId(put("{added}", ["nonsense"]));
      await withId({ method: "DELETE", path: "/v2/members/{added}" });
      await withId({ method: "DELETE", path: "/v2/members/{added}" });
      await withId({ method: "DELETE", path: "/v2/members/00{added}" });
      await withId(put("{added}", ["http://localhost:11"]));
    });

    /** Sends the same to both, each with its own id for `{added}`. */
    async function compare(sent: Sent, ids: readonly string[] = []): Promise<readonly Answer[]> {
      const answers = await Promise.all(
        [real, ours].map((server, side) =>
          server({ ...sent, path: sent.path.replace("{added}", ids[side] ?? "") }),
        ),
      );
      const [expected, actual] = answers.map(({ status, headers, body }, side) => {
        const id = ids[side] ?? (/"id":"(\w+)"/.exec(body)?.[1] || "none");
        return { status, headers, body: body.replaceAll(id, "{added}") };
      });
      expect(actual, nameOf(sent)).toEqual(expected);
      return answers;
    }
  });

  describe("with auth on", () => {
    let etcd: EtcdCluster;
    let real: Server;
    let ours: Server;

    beforeAll(async () => {
      etcd = await startEtcd({ release: "3.4", rootPassword: "secret" });
      real = serverAt(etcd.urls[0]);
      ours = await twinOf(real, false);
    });
    afterAll(() => etcd.stop());

    it.each(BY_NOBODY.map((sent) => [nameOf(sent), sent] as const))(
      "%s, without credentials",
      async (_name, sent) => {
        expect(await ours(sent)).toEqual(await real(sent));
      },
    );
  });
});

/** Our server in the place of the real one's first member. */
async function twinOf(real: Server, isRoot = true): Promise<Server> {
  const { headers } = await real({ method: "GET", path: "/v2/members" });
  const [first] = await membersOf(real);
  const api = new MemoryClusterApi(new MemoryKeySpace(), first);
  const membersOwn = () => undefined;
  const members = membersRoute({
    members: api.members,
    clientUrls: membersOwn,
    clusterId: async () => headers["x-etcd-cluster-id"] ?? "",
    isRoot: async () => isRoot,
  });
  const requests = new RequestMetrics();
  requests.countReceived("PUT");
  requests.countSuccess("PUT", 0.001);
  requests.countFailure("GET", 404);
  const metrics = metricsRoute(api, { requests });
  const router = new Router([members, ...clusterRoutes(api, membersOwn), metrics]);
  return serverOf(v2Handler(router, new BrowserAccess({ cors: ["*"] })));
}

/** Types of metrics by name. */
function typesIn(metrics: string): ReadonlyMap<string, string> {
  return new Map(
    [...metrics.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]),
  );
}
