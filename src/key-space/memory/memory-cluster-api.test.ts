import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import { MemoryClusterApi } from "./memory-cluster-api.js";
import { MemoryKeySpace } from "./memory-key-space.js";

const own = {
  id: "f00",
  name: "m1",
  peerURLs: ["http://localhost:1"],
  clientURLs: ["http://localhost:2"],
};

function cluster(): MemoryClusterApi {
  return new MemoryClusterApi(new MemoryKeySpace(), own);
}

describe("a cluster of one", () => {
  it("has one member, the leader", async () => {
    const { members } = cluster();
    expect(await members.list()).toEqual([own]);
    expect(await members.leader()).toEqual(own);
  });

  it("has a random id and no URLs by default", async () => {
    const [one, other] = [new MemoryKeySpace(), new MemoryKeySpace()].map(
      (keySpace) => new MemoryClusterApi(keySpace),
    );
    const leader = await one?.members.leader();
    expect(leader).toMatchObject({ name: "default", peerURLs: [], clientURLs: [] });
    expect(leader?.id).toMatch(/^[1-9a-f][0-9a-f]{0,15}$/);
    expect((await other?.members.leader())?.id).not.toBe(leader?.id);
  });

  it("is unhealthy while it has a problem", async () => {
    let problem: string | undefined;
    const api = new MemoryClusterApi(new MemoryKeySpace(), { ...own, problem: () => problem });
    expect(await api.isHealthy()).toBe(true);
    problem = "the disk is full";
    expect(await api.isHealthy()).toBe(false);
    expect(await api.health()).toMatchObject([{ healthy: false, reason: "the disk is full" }]);
  });

  it("has the URL of its server", async () => {
    const api = cluster();
    api.announce(["http://localhost:9", "http://localhost:10"]);
    expect(await api.machines()).toEqual(["http://localhost:10", "http://localhost:9"]);
    expect(await api.health()).toEqual([{ endpoint: "http://localhost:9", healthy: true }]);
    expect((await api.members.leader()).clientURLs).toHaveLength(2);
  });

  it("is unhealthy after its key space is closed", async () => {
    const keySpace = new MemoryKeySpace();
    const api = new MemoryClusterApi(keySpace);
    await keySpace.close();
    expect(await api.health()).toMatchObject([{ endpoint: "memory:", healthy: false }]);
  });

  it("returns the release that it imitates, or the given one", async () => {
    expect(await cluster().version()).toEqual({ etcdserver: "3.4.23", etcdcluster: "3.4.0" });
    const version = { etcdserver: "2.3.8", etcdcluster: "2.3.0" };
    expect(await new MemoryClusterApi(new MemoryKeySpace(), { version }).version()).toBe(version);
  });

  it("is a leader without followers", async () => {
    const clock = new SimulatedClock();
    const { stats } = new MemoryClusterApi(new MemoryKeySpace(), { ...own, clock });
    clock.advance(90_500);
    expect(await stats.leader()).toEqual({ leader: "f00", followers: {} });
    expect(await stats.self()).toMatchObject({
      state: "StateLeader",
      startTime: "2030-01-01T00:00:00Z",
      leaderInfo: { leader: "f00", uptime: "1m30.5s" },
    });
  });

  it("does nothing for an aborted call", async () => {
    const { members, stats } = cluster();
    const options = { signal: AbortSignal.abort() };
    await expect(members.add(["http://a:1"], options)).rejects.toMatchObject({
      name: "AbortError",
      outcome: "not-sent",
    });
    await expect(stats.store(options)).rejects.toMatchObject({ outcome: "none" });
    expect(await members.list()).toHaveLength(1);
  });
});

describe("its membership", () => {
  it("accepts members that have not started, sorted by id", async () => {
    const { members } = cluster();
    const added = await members.add(["http://b:1", "http://a:1"]);
    expect(added).toMatchObject({
      name: "",
      peerURLs: ["http://a:1", "http://b:1"],
      clientURLs: [],
    });
    const inOrder = BigInt(`0x${added.id}`) < 0xf00n ? [added, own] : [own, added];
    expect(await members.list()).toEqual(inOrder);
    expect(await members.leader()).toEqual(own);
  });

  it("contains every URL once", async () => {
    const { members } = cluster();
    const taken = { status: 409, detail: "membership: peerURL exists" };
    await expect(members.add(own.peerURLs)).rejects.toMatchObject(taken);
    const { id } = await members.add(["http://a:1"]);
    await expect(members.update(id, own.peerURLs)).rejects.toMatchObject(taken);
    await expect(members.update("f00", ["http://a:1"])).rejects.toMatchObject(taken);
    await members.update(id, ["http://a:1"]);
  });

  it("allows changes of URLs, also of the running member", async () => {
    const { members } = cluster();
    await members.update("0F00", ["http://a:1"]);
    expect(await members.leader()).toEqual({ ...own, peerURLs: ["http://a:1"] });
    await members.add(own.peerURLs);
  });

  it("refuses invalid URLs", async () => {
    const { members } = cluster();
    const refused = { status: 400, detail: "no valid URLs given" };
    await expect(members.add([])).rejects.toMatchObject(refused);
    await expect(members.update("f00", [])).rejects.toMatchObject(refused);
  });

  it("refuses unknown members", async () => {
    const { members } = cluster();
    const unknown = { status: 404, detail: "No such member: abc" };
    await expect(members.update("ABC", ["http://a:1"])).rejects.toMatchObject(unknown);
    await expect(members.remove("0abc")).rejects.toMatchObject(unknown);
    await expect(members.remove("zz")).rejects.toMatchObject({ detail: "No such member: zz" });
  });

  it("removes a member permanently, and frees its URLs", async () => {
    const { members } = cluster();
    const { id } = await members.add(["http://a:1"]);
    await members.remove(id);
    expect(await members.list()).toEqual([own]);
    const gone = { status: 410, detail: `Member permanently removed: ${id}` };
    await expect(members.remove(id)).rejects.toMatchObject(gone);
    await expect(members.update(id, ["http://b:1"])).rejects.toMatchObject({ status: 500 });
    await members.add(["http://a:1"]);
  });

  it("keeps the running member", async () => {
    const { members } = cluster();
    await expect(members.remove("f00")).rejects.toMatchObject({ status: 500 });
    expect(await members.list()).toEqual([own]);
  });
});
