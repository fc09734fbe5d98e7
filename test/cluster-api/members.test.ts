import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { EtcdClient, OutcomeUnknownError } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";

/** A refusal as etcd words it. */
const refusal = (status: number, detail: string) =>
  expect.objectContaining({ name: "AdminError", status, detail });

/** etcd refuses changes until its members have seen each other for five seconds. */
const SETTLED = { timeout: 60_000, interval: 200 };

/** A peer URL without a server. The added member is never started. */
const NEVER_STARTED = "http://127.0.0.1:9";

describeWithEtcd("3.4", "the members of a cluster", () => {
  let cluster: EtcdCluster;
  let etcd: EtcdClient;
  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4", members: 3 });
    etcd = new EtcdClient({ urls: cluster.urls });
  });
  afterAll(async () => {
    await etcd.close();
    await cluster.stop();
  });

  const names = async () => (await etcd.members.list()).map(({ name }) => name).sort();

  test("are listed with their URLs", async () => {
    const members = await etcd.members.list();
    expect(members).toHaveLength(3);
    for (const { name, peerUrl, url } of cluster.members) {
      expect(members).toContainEqual({
        id: expect.stringMatching(/^[0-9a-f]{1,16}$/),
        name,
        peerURLs: [peerUrl],
        clientURLs: [url],
      });
    }
  });

  test("have one leader, from any member", async () => {
    const leaders = cluster.urls.map(async (url) => {
      await using one = new EtcdClient({ urls: [url] });
      return await one.members.leader();
    });
    const [first, ...others] = await Promise.all(leaders);
    expect(await etcd.members.list()).toContainEqual(first);
    for (const other of others) expect(other).toEqual(first);
  });

  test("can be joined by another one, which can be removed permanently", async () => {
    const added = await vi.waitFor(() => etcd.members.add([NEVER_STARTED]), SETTLED);
    expect(added).toMatchObject({ name: "", peerURLs: [NEVER_STARTED], clientURLs: [] });
    expect(await etcd.members.list()).toContainEqual(added);

    await expect(etcd.members.remove(added.id)).resolves.toBeUndefined();
    expect(await names()).toEqual(["m1", "m2", "m3"]);
    await expect(etcd.members.remove(added.id)).rejects.toEqual(
      refusal(410, `Member permanently removed: ${added.id}`),
    );
  });

  test("can be given other peer URLs, the ones they have included", async () => {
    const [member] = await etcd.members.list();
    if (member === undefined) throw new Error("no member");
    const elsewhere = [...member.peerURLs, NEVER_STARTED];
    await expect(etcd.members.update(member.id, elsewhere)).resolves.toBeUndefined();
    expect(await etcd.members.list()).toContainEqual({ ...member, peerURLs: elsewhere.sort() });
    await expect(etcd.members.update(member.id, member.peerURLs)).resolves.toBeUndefined();
    expect(await etcd.members.list()).toContainEqual(member);
  });

  test("that are unknown are not found", async () => {
    await expect(etcd.members.remove("123abc")).rejects.toEqual(
      refusal(404, "No such member: 123abc"),
    );
    await expect(etcd.members.update("123ABC", [NEVER_STARTED])).rejects.toEqual(
      refusal(404, "No such member: 123abc"),
    );
    await expect(etcd.members.remove("nobody")).rejects.toEqual(
      refusal(404, "No such member: nobody"),
    );
  });

  test("do not share a peer URL", async () => {
    const taken = [cluster.members[0].peerUrl];
    const exists = refusal(409, "membership: peerURL exists");
    await vi.waitFor(() => expect(etcd.members.add(taken)).rejects.toEqual(exists), SETTLED);
    const [, other] = cluster.members;
    const { id } = (await etcd.members.list()).find(({ name }) => name === other?.name) ?? {};
    await expect(etcd.members.update(id ?? "", taken)).rejects.toEqual(exists);
  });

  test.each([
    [[], "no valid URLs given"],
    [["127.0.0.1:9"], "first path segment in URL cannot contain colon"],
    [["http://127.0.0.1"], 'URL address does not have the form "host:port": http://127.0.0.1'],
    [["http://127.0.0.1:9/path"], "URL must not contain a path: http://127.0.0.1:9/path"],
    [["ftp://127.0.0.1:9"], "URL scheme must be http, https, unix, or unixs: ftp://127.0.0.1:9"],
  ])("are not added at %j", async (peerURLs, reason) => {
    await expect(etcd.members.add(peerURLs)).rejects.toMatchObject({
      name: "AdminError",
      status: 400,
      detail: expect.stringContaining(reason),
    });
  });

  test.each(["", ".", "..", "../auth/enable", "../members/123abc"])(
    "have no id like %j, which could change the path of a request",
    async (id) => {
      await expect(etcd.members.remove(id)).rejects.toThrow(TypeError);
      await expect(etcd.members.update(id, [NEVER_STARTED])).rejects.toThrow(TypeError);
    },
  );

  test("are not added while one is down", async () => {
    await cluster.members[0].kill();
    await using other = new EtcdClient({ urls: cluster.urls.slice(1) });
    const adding = other.members.add([NEVER_STARTED]);
    await expect(adding).rejects.toBeInstanceOf(OutcomeUnknownError);
    await expect(adding).rejects.toMatchObject({ cause: refusal(500, "Internal Server Error") });
    expect(await other.members.list()).toHaveLength(3);
  });
});
