import { afterAll, beforeAll, expect, test } from "vitest";
import {
  ClusterUnavailableError,
  EtcdClient,
  OutcomeUnknownError,
  RaftInternalError,
} from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { WRITES } from "./writes.js";

/** etcd responds after about 6 s without a quorum, so all calls wait concurrently. */
describeWithEtcd("3.4", "the member that is left when the quorum is lost", () => {
  let cluster: EtcdCluster;
  let survivor: FaultProxy;
  /** Its only endpoint is the survivor. */
  let single: EtcdClient;
  /** Its endpoints include the dead members. */
  let full: EtcdClient;

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4", members: 3 });
    const [url = "", ...others] = cluster.urls;
    survivor = await FaultProxy.before(url);
    single = new EtcdClient({ urls: [url] });
    full = new EtcdClient({ urls: [survivor.url, ...others] });
    for (const { name } of WRITES) await single.setNode(`/${name}`, "old");
    await Promise.all(cluster.members.slice(1).map((member) => member.kill()));
  });

  afterAll(async () => {
    await single?.close();
    await full?.close();
    await survivor?.close();
    await cluster?.stop();
  });

  const failureOf = (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => "no failure",
      (error: unknown) => error,
    );

  test("responds to local reads", async () => {
    expect((await single.getNode("/set")).node.value).toBe("old");
    expect((await full.members.list()).length).toBe(3);
  });

  test("leaves the outcome of writes unknown and fails quorum reads", async () => {
    const [read, readAnywhere, ...writes] = await Promise.all([
      failureOf(single.getNode("/set", { quorum: true })),
      failureOf(full.getNode("/set", { quorum: true })),
      ...WRITES.map((write) => failureOf(write.send(full, `/${write.name}`))),
    ]);
    expect(read).toBeInstanceOf(RaftInternalError);
    expect(readAnywhere).toBeInstanceOf(ClusterUnavailableError);
    const { attempts } = readAnywhere as ClusterUnavailableError;
    expect(attempts.map(({ endpoint }) => endpoint).sort()).toEqual(
      [survivor.url, ...cluster.urls.slice(1)].sort(),
    );
    for (const outcome of writes) {
      expect(outcome).toBeInstanceOf(OutcomeUnknownError);
      const { cause, endpoint } = outcome as OutcomeUnknownError;
      expect(endpoint).toBe(survivor.url);
      expect(cause).toBeInstanceOf(RaftInternalError);
      expect(cause).toMatchObject({ errorCode: 300, status: 500, endpoint });
    }
    const sent = survivor.requests.filter((request) => !request.startsWith("GET"));
    expect(sent.length).toBe(WRITES.length);
  });

  test("reports no leader", async () => {
    expect(await failureOf(full.members.leader())).toBeInstanceOf(ClusterUnavailableError);
  });
});
