import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { describeEtcdSideBySide, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { V3Tool } from "../v3/v3-tools.js";
import { etcdnet, startEtcdnet } from "./etcdnet.js";

beforeAll(buildIfStale);

for (const release of ["3.4", "3.7"] as const) {
  describeEtcdSideBySide(release, `etcdnet on the v3 data of etcd ${release}`, () =>
    commands(release),
  );
}

function commands(release: "3.4" | "3.7"): void {
  let etcd: EtcdCluster | undefined;
  let directory = "";
  beforeAll(async () => {
    etcd = await startEtcd({ release, v2: false });
    directory = await mkdtemp(join(tmpdir(), "etcdnet-v3-"));
  });
  afterAll(async () => {
    await etcd?.stop();
    await rm(directory, { recursive: true });
  });
  const v3 = () => ["--api", "v3", "--endpoints", etcd?.urls[0] ?? ""];
  const outcome = (...args: readonly string[]) => etcdnet([...v3(), ...args]);
  const print = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await outcome(...args);
    expect([code, stderr]).toEqual([0, ""]);
    return stdout;
  };
  const refusal = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await outcome(...args);
    expect(stdout).toBe("");
    return [code, stderr.replace(/ \[\d+\]\n(Hint: .*\n)?$/, "")];
  };

  it("writes and reads keys", async () => {
    expect(await print("set", "/a", "1")).toBe("1\n");
    expect(await print("get", "-q", "a")).toBe("1\n");
    expect(await refusal("mk", "/a", "2")).toEqual([4, "Error:  105: Key already exists (/a)"]);
    expect(await refusal("set", "/a", "2", "--swap-with-value", "9")).toEqual([
      4,
      "Error:  101: Compare failed ([9 != 1])",
    ]);
    expect(await print("set", "/a", "2", "--swap-with-value", "1")).toBe("2\n");
    expect(await print("update", "/a", "3")).toBe("3\n");
    expect(JSON.parse(await print("-o", "json", "rm", "--with-value", "3", "/a"))).toMatchObject({
      action: "compareAndDelete",
      prevNode: { key: "/a", value: "3" },
    });
    expect(await refusal("get", "/a")).toEqual([4, "Error:  100: Key not found (/a)"]);
  });

  it("creates, lists and removes directories", async () => {
    await print("mkdir", "/d/empty");
    await print("set", "/d/x/y", "1", "--ttl", "1000");
    expect(await refusal("mkdir", "/d")).toEqual([4, "Error:  105: Key already exists (/d)"]);
    expect(await print("ls", "-r", "-p", "--sort", "/d")).toBe("/d/empty/\n/d/x/\n/d/x/y\n");
    expect(await print("tree", "/d")).toMatch(
      /^\/d\/\n├── empty\/\n└── x\/\n {4}└── y \(\d+ s\)\n$/,
    );
    expect(await refusal("rmdir", "/d")).toEqual([4, "Error:  108: Directory not empty (/d)"]);
    expect(await print("rm", "-r", "/d")).toBe("");
  });

  it("exports and imports", async () => {
    await print("set", "/from/deep/er/key", "größer");
    await print("set", "/from/_hidden/key", "1");
    const file = join(directory, "export.jsonl");
    await print("export", "/from", "--hidden", "/from/_hidden", "--file", file);
    const { code, stderr } = await outcome("import", "--prefix", "/to", file);
    expect([code, stderr]).toEqual([0, "6 keys and directories were written\n"]);
    expect(await print("get", "/to/from/deep/er/key")).toBe("größer\n");
    expect(await print("get", "/to/from/_hidden/key")).toBe("1\n");
  });

  it("watches", async ({ expect }) => {
    await print("set", "/watched/a", "0");
    const { node } = JSON.parse(await print("-o", "json", "set", "/watched/a", "1"));
    const after = ["--after-index", String(node.modifiedIndex - 1)];
    expect(await print("watch", ...after, "/watched/a")).toBe("1\n");
    const watch = startEtcdnet([...v3(), "watch", "-f", "-r", ...after, "/watched"]);
    await print("rm", "/watched/a");
    await expect
      .poll(watch.printed)
      .toBe("[set] /watched/a\n1\n[delete] /watched/a\nPrevNode.Value: 1\n");
    watch.child.kill("SIGINT");
    expect(await watch.ended).toMatchObject({ code: 0, stderr: "" });
  });

  it("locks, leads and registers", async ({ expect }) => {
    expect(await print("lock", "/locks/a", "--", "echo", "held")).toBe("held\n");
    expect(await print("register", "/services/s", "i", "--", "echo", "up")).toBe("up\n");
    const leader = startEtcdnet([...v3(), "elect", "/election", "me"]);
    await expect.poll(leader.printed).toMatch(/^\/election\/\d+\nme\n$/);
    leader.child.kill("SIGTERM");
    expect(await leader.ended).toMatchObject({ code: 0, stderr: "" });
  });

  it("uses only the v3 keys below a prefix", async () => {
    await using another = await startEtcd({ release, v2: false });
    const [url] = another.urls;
    const at = (prefix: string) => ["--api", "v3", "--endpoints", url, "--key-prefix", prefix];
    await etcdnet([...at("/apps"), "set", "/a", "behind"]);
    const tool = new V3Tool(another.urls);
    expect(await tool.keys()).toContain("/apps/a");
    tool.close();
    expect((await etcdnet([...at("/apps"), "get", "/a"])).stdout).toBe("behind\n");
    const { code, stderr } = await etcdnet([...at("/"), "set", "/a", "around"]);
    expect([code, stderr]).toEqual([4, expect.stringContaining('key prefix "/apps"')]);
  });

  it("lists members, and reports that there are no v2 users", async () => {
    expect(await print("member", "list")).toMatch(/^[\da-f]+: name=\S+ .* isLeader=true\n$/);
    expect(await print("cluster-health")).toMatch(/cluster is healthy\n$/);
    const [code, text] = await refusal("user", "list");
    expect([code, text]).toEqual([
      1,
      expect.stringContaining("no v2 auth; the v3 API has its own users"),
    ]);
  });
}
