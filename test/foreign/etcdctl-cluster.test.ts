import { describe, expect, it } from "vitest";
import { describeOnBothServers } from "./both-servers.js";
import { EtcdctlRunner, findEtcdctl } from "./etcdctl.js";

/** Nobody listens there: what is added here never starts. */
const NEVER_STARTED = "http://127.0.0.1:9";
const MOVED = "http://127.0.0.1:19";

describeOnBothServers(
  "etcdctl's view of the cluster",
  findEtcdctl(),
  (path, server) => {
    const etcdctl = new EtcdctlRunner(path, server);
    const memberLines = async () => (await etcdctl.print("member", "list")).trim().split("\n");

    it("finds it healthy", async () => {
      const report = (await etcdctl.print("cluster-health")).trim().split("\n");
      expect(report.pop()).toBe("cluster is healthy");
      expect(report).toHaveLength(server().members);
      for (const line of report) {
        expect(line).toMatch(/^member [0-9a-f]+ is healthy: got healthy result from http:\/\/.+$/);
      }
      for (const url of server().urls) expect(report.join()).toContain(url);
    });

    it("lists the members, one of them the leader", async () => {
      const lines = await memberLines();
      for (const line of lines) {
        expect(line).toMatch(
          /^[0-9a-f]+: name=\w+ peerURLs=\S* clientURLs=\S+ isLeader=(true|false)$/,
        );
      }
      expect(lines.filter((line) => line.endsWith("isLeader=true"))).toHaveLength(1);
    });

    it("follows the members that the server names, unless told not to", async () => {
      const { code, stdout, stderr } = await etcdctl.run(["--debug", "ls", "/"]);
      expect(code).toBe(0);
      expect(stderr + stdout).toMatch(/got endpoints\(http:.*\) after sync/);
      expect(await etcdctl.print("--no-sync", "ls", "/")).toBe("");
    });

    it("knows who is the only one to stay", async () => {
      expect(await etcdctl.refusal("member", "remove", "beef")).toEqual([
        1,
        "Couldn't find a member in the cluster with an ID of beef.",
      ]);
      expect(await etcdctl.refusal("member", "update", "beef", NEVER_STARTED)).toEqual([
        1,
        "No such member: beef",
      ]);
    });

    describe("when a member comes and goes", () => {
      it("adds, moves and removes it", async () => {
        const before = await memberLines();
        const added = await etcdctl.print("member", "add", "newcomer", NEVER_STARTED);
        expect(added).toMatch(/^Added member named newcomer with ID [0-9a-f]+ to cluster\n/);
        expect(added).toContain('ETCD_NAME="newcomer"');
        expect(added).toContain(`newcomer=${NEVER_STARTED}`);
        expect(added).toContain('ETCD_INITIAL_CLUSTER_STATE="existing"');

        const id = /ID ([0-9a-f]+)/.exec(added)?.[1] ?? "";
        expect(await memberLines()).toContain(`${id}[unstarted]: peerURLs=${NEVER_STARTED}`);
        expect(await etcdctl.refusal("member", "add", "again", NEVER_STARTED)).toEqual([
          1,
          // Within the same second, etcd would give it the same id.
          expect.stringMatching(/^membership: (ID|peerURL) exists$/),
        ]);
        expect(await etcdctl.print("member", "update", id, MOVED)).toBe(
          `Updated member with ID ${id} in cluster\n`,
        );
        expect(await memberLines()).toContain(`${id}[unstarted]: peerURLs=${MOVED}`);
        expect(await etcdctl.print("member", "remove", id)).toBe(
          `Removed member ${id} from cluster\n`,
        );
        expect(await memberLines()).toEqual(before);
      });
    });
  },
  { members: 3 },
);
