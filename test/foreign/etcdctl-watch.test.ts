import { afterEach, describe, expect, it, vi } from "vitest";
import { describeOnBothServers } from "./both-servers.js";
import { EtcdctlRunner, findEtcdctl } from "./etcdctl.js";
import type { Started } from "./run.js";

const PATIENCE = { timeout: 60_000, interval: 20 };

describeOnBothServers("etcdctl's watches", findEtcdctl(), (path, server) => {
  const etcdctl = new EtcdctlRunner(path, server);
  const started: Started[] = [];
  afterEach(async () => {
    for (const { child } of started) child.kill("SIGKILL");
    await Promise.all(started.splice(0).map(({ ended }) => ended));
  });

  const start = (...args: readonly string[]) => {
    const watch = etcdctl.start(...args);
    started.push(watch);
    return watch;
  };
  const set = async (key: string, value: string): Promise<number> =>
    JSON.parse(await etcdctl.print("-o", "json", "set", key, value)).node.modifiedIndex;
  const after = (index: number) => ["--after-index", String(index)];

  describe("watch", () => {
    it("shows the next change", async () => {
      const { child, ended } = start("watch", "/live");
      // Nobody says when the watch stands: so there is a change until it was seen.
      for (let count = 1; child.exitCode === null; count++) await set("/live", `change ${count}`);
      expect(await ended).toEqual({
        code: 0,
        stdout: expect.stringMatching(/^change \d+\n$/),
        stderr: "",
      });
    });

    it("shows a change of the past", async () => {
      const index = await set("/past", "1");
      await set("/past", "2");
      await set("/past", "3");
      expect(await etcdctl.print("watch", ...after(index), "/past")).toBe("2\n");
    });

    it("waits for a change to come", async () => {
      const index = await set("/coming", "1");
      const { ended } = start("watch", ...after(index), "/coming");
      await set("/coming", "2");
      expect(await ended).toMatchObject({ code: 0, stdout: "2\n" });
    });

    it("shows changes below a directory, and which", async () => {
      const index = await set("/tree/a/b", "1");
      await set("/tree/a/b", "2");
      const shown = await etcdctl.print(
        ...["-o", "json", "watch", "--recursive", ...after(index), "/tree"],
      );
      const [change, event = ""] = shown.split("\n");
      expect(change).toBe("[set] /tree/a/b");
      expect(JSON.parse(event)).toMatchObject({
        action: "set",
        node: { key: "/tree/a/b", value: "2", modifiedIndex: index + 1 },
        prevNode: { value: "1", modifiedIndex: index },
      });
    });

    it("shows that a key is gone", async () => {
      const index = await set("/gone", "1");
      await etcdctl.print("rm", "/gone");
      const removed = await etcdctl.print("-o", "json", "watch", ...after(index), "/gone");
      expect(JSON.parse(removed)).toMatchObject({ action: "delete", prevNode: { value: "1" } });

      await etcdctl.print("set", "--ttl", "1", "/gone", "2");
      const expired = await etcdctl.print("-o", "json", "watch", ...after(index + 2), "/gone");
      expect(JSON.parse(expired)).toMatchObject({ action: "expire", prevNode: { value: "2" } });
    });

    it("goes on for ever if so asked", async () => {
      const index = await set("/ever/a", "0");
      const watch = start("watch", "--forever", "--recursive", ...after(index), "/ever");
      await set("/ever/a", "1");
      await set("/ever/b", "2");
      await etcdctl.print("rm", "/ever/a");
      const changes = "[set] /ever/a\n1\n[set] /ever/b\n2\n[delete] /ever/a\nPrevNode.Value: 1\n";
      await vi.waitFor(() => expect(watch.printed()).toBe(changes), PATIENCE);
      watch.child.kill("SIGINT");
      expect(await watch.ended).toEqual({ code: 0, stdout: changes, stderr: "" });
    });

    it("is refused when the changes asked for are forgotten", async () => {
      const first = await set("/forgotten", "0");
      await fillHistory(server().urls[0]);
      const { code, stderr } = await etcdctl.run(["watch", ...after(first), "/forgotten"]);
      expect([code, stderr]).toEqual([
        4,
        expect.stringMatching(
          /^Error: +401: The event in requested index is outdated and cleared \(.*\) \[\d+\]\n$/,
        ),
      ]);
    });
  });

  describe("exec-watch", () => {
    it("runs a command for each change, with the change in its environment", async () => {
      const index = await set("/exec", "0");
      const show = 'echo "$ETCD_WATCH_ACTION $ETCD_WATCH_KEY=$ETCD_WATCH_VALUE"';
      // The key goes last, whatever the help of etcdctl says.
      const watch = start("exec-watch", ...after(index), "--", "sh", "-c", show, "/exec");
      // etcdctl does not wait for one command before it starts the next.
      await set("/exec", "1");
      const printed = (text: string) =>
        vi.waitFor(() => expect(watch.printed()).toBe(text), PATIENCE);
      await printed("set /exec=1\n");
      await etcdctl.print("update", "/exec", "2");
      const changes = "set /exec=1\nupdate /exec=2\n";
      await printed(changes);
      watch.child.kill("SIGINT");
      expect(await watch.ended).toMatchObject({ code: 0, stdout: changes });
    });
  });
});

/** etcd holds a thousand. */
async function fillHistory(url: string): Promise<void> {
  const put = () => fetch(`${url}/v2/keys/filling`, { method: "PUT" }).then((it) => it.text());
  for (let count = 0; count < 1100; count += 50) await Promise.all(Array.from({ length: 50 }, put));
}
