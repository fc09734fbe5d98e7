import { describe, expect, it, vi } from "vitest";
import { describeOnBothServers } from "./both-servers.js";
import { EtcdctlRunner, findEtcdctl } from "./etcdctl.js";

/** What etcdctl ends with when etcd answered with an error, and when it was called wrongly. */
const REFUSED = 4;
const MISUSED = 1;

describeOnBothServers("etcdctl's keys", findEtcdctl(), (path, server) => {
  const etcdctl = new EtcdctlRunner(path, server);

  /** The complaint without the index of the store, which depends on what was done before. */
  const refusal = async (...args: readonly string[]) => {
    const [code, text] = await etcdctl.refusal(...args);
    return [code, text.replace(/ \[\d+\]$/, "")];
  };
  const json = async (...args: readonly string[]) =>
    JSON.parse(await etcdctl.print("-o", "json", ...args));

  describe("values", () => {
    it("are set and read", async () => {
      expect(await etcdctl.print("set", "/v/a", "1")).toBe("1\n");
      expect(await etcdctl.print("get", "/v/a")).toBe("1\n");
      expect(await etcdctl.print("get", "--quorum", "v/a")).toBe("1\n");
    });

    it("are of any text", async () => {
      const value = 'größer & 100 % + <b>\t"x"';
      await etcdctl.print("set", "/v/so me/ké+y", value);
      expect(await etcdctl.print("get", "/v/so me/ké+y")).toBe(`${value}\n`);
    });

    it("come from standard input", async () => {
      const { code } = await etcdctl.run(["set", "/v/in"], { input: "two\nlines" });
      expect(code).toBe(0);
      expect(await etcdctl.print("get", "/v/in")).toBe("two\nlines\n");
    });

    it("are shown with what etcd knows of them", async () => {
      await etcdctl.print("mk", "/v/shown", "1");
      expect(await etcdctl.print("-o", "extended", "get", "/v/shown")).toMatch(
        /^Key: \/v\/shown\nCreated-Index: (\d+)\nModified-Index: \1\nTTL: 0\nIndex: \1\n\n1\n$/,
      );
      const { node } = await json("get", "/v/shown");
      const { createdIndex } = node;
      expect(await json("set", "/v/shown", "2")).toEqual({
        action: "set",
        node: {
          key: "/v/shown",
          value: "2",
          nodes: null,
          createdIndex: createdIndex + 1,
          modifiedIndex: createdIndex + 1,
        },
        prevNode: node,
      });
    });

    it("are made only if new and updated only if there", async () => {
      expect(await etcdctl.print("mk", "/v/m", "1")).toBe("1\n");
      expect(await refusal("mk", "/v/m", "2")).toEqual([
        REFUSED,
        "Error:  105: Key already exists (/v/m)",
      ]);
      expect(await etcdctl.print("update", "/v/m", "3")).toBe("3\n");
      expect(await refusal("update", "/v/none", "3")).toEqual([
        REFUSED,
        "Error:  100: Key not found (/v/none)",
      ]);
    });

    it("are swapped for an expected value or index", async () => {
      const { node } = await json("set", "/v/s", "1");
      expect(await refusal("set", "--swap-with-value", "9", "/v/s", "2")).toEqual([
        REFUSED,
        "Error:  101: Compare failed ([9 != 1])",
      ]);
      expect(await etcdctl.print("set", "--swap-with-value", "1", "/v/s", "2")).toBe("2\n");
      expect(
        await refusal("set", "--swap-with-index", String(node.modifiedIndex), "/v/s", "3"),
      ).toEqual([
        REFUSED,
        `Error:  101: Compare failed ([${node.modifiedIndex} != ${node.modifiedIndex + 1}])`,
      ]);
      const { action } = await json(
        ...["set", "--swap-with-index", String(node.modifiedIndex + 1), "/v/s", "3"],
      );
      expect(action).toBe("compareAndSwap");
    });

    it("are removed, as expected only if so asked", async () => {
      await etcdctl.print("set", "/v/r", "1");
      expect(await refusal("rm", "--with-value", "9", "/v/r")).toEqual([
        REFUSED,
        "Error:  101: Compare failed ([9 != 1])",
      ]);
      expect((await json("rm", "--with-value", "1", "/v/r")).action).toBe("compareAndDelete");
      await etcdctl.print("set", "/v/r", "2");
      expect(await etcdctl.print("rm", "/v/r")).toBe("PrevNode.Value: 2\n");
      expect(await refusal("rm", "/v/r")).toEqual([REFUSED, "Error:  100: Key not found (/v/r)"]);
    });

    it("expire", async () => {
      const { node } = await json("set", "--ttl", "1", "/v/ttl", "x");
      expect(node).toMatchObject({ ttl: 1, expiration: expect.stringMatching(/^20.*Z$/) });
      await vi.waitFor(async () => expect(await refusal("get", "/v/ttl")).toContain(REFUSED), {
        timeout: 60_000,
        interval: 100,
      });
    });

    it("are asked for by name", async () => {
      expect(await refusal("get")).toEqual([MISUSED, "Error:  key required"]);
      expect(await refusal("set")).toEqual([MISUSED, "Error:  key required"]);
    });
  });

  describe("directories", () => {
    it("are made, once", async () => {
      expect(await etcdctl.print("mkdir", "/d/made")).toBe("");
      expect(await refusal("mkdir", "/d/made")).toEqual([
        REFUSED,
        "Error:  105: Key already exists (/d/made)",
      ]);
      expect(await refusal("setdir", "/d/made")).toEqual([
        REFUSED,
        "Error:  102: Not a file (/d/made)",
      ]);
      expect(await refusal("get", "/d/made")).toEqual([MISUSED, "/d/made: is a directory"]);
    });

    it("take a TTL, also later", async () => {
      await etcdctl.print("setdir", "--ttl", "100", "/d/ttl");
      expect((await json("ls", "/d/ttl")).node).toMatchObject({ dir: true, ttl: 100 });
      expect(await etcdctl.print("updatedir", "--ttl", "200", "/d/ttl")).toBe("");
      expect((await json("ls", "/d/ttl")).node.ttl).toBeGreaterThan(100);
      expect(await refusal("updatedir", "/d/none")).toEqual([
        REFUSED,
        "Error:  100: Key not found (/d/none)",
      ]);
    });

    it("hold keys, named in order if so asked", async () => {
      const made = await json("mk", "--in-order", "/d/queue", "first");
      const name = String(made.node.createdIndex).padStart(20, "0");
      expect(made).toMatchObject({ action: "create", node: { key: `/d/queue/${name}` } });
      expect(await etcdctl.print("get", `/d/queue/${name}`)).toBe("first\n");
    });

    it("are listed flat, deep, sorted and marked", async () => {
      await etcdctl.print("set", "/list/b", "1");
      await etcdctl.print("set", "/list/sub/y", "2");
      await etcdctl.print("set", "/list/a", "3");
      await etcdctl.print("set", "/list/_hidden", "4");
      const lines = async (...args: readonly string[]) =>
        (await etcdctl.print("ls", ...args)).split("\n").filter((line) => line !== "");

      expect(new Set(await lines("/list"))).toEqual(new Set(["/list/a", "/list/b", "/list/sub"]));
      expect(await lines("--sort", "/list")).toEqual(["/list/a", "/list/b", "/list/sub"]);
      expect(await lines("--sort", "-p", "/list")).toEqual(["/list/a", "/list/b", "/list/sub/"]);
      expect(await lines("--sort", "--recursive", "-p", "--quorum", "list")).toEqual([
        "/list/a",
        "/list/b",
        "/list/sub/",
        "/list/sub/y",
      ]);
      expect(await lines("/list/a")).toEqual(["/list/a"]);
      expect(await lines()).toContain("/list");
      expect(await refusal("ls", "/none")).toEqual([REFUSED, "Error:  100: Key not found (/none)"]);
    });

    it("are removed when empty, or with all that is in them", async () => {
      await etcdctl.print("set", "/d/full/x", "1");
      expect(await refusal("rmdir", "/d/full")).toEqual([
        REFUSED,
        "Error:  108: Directory not empty (/d/full)",
      ]);
      expect(await refusal("rm", "/d/full")).toEqual([
        REFUSED,
        "Error:  102: Not a file (/d/full)",
      ]);
      expect(await etcdctl.print("rm", "--recursive", "/d/full")).toBe("");
      await etcdctl.print("mkdir", "/d/empty");
      expect(await etcdctl.print("rmdir", "/d/empty")).toBe("");
      await etcdctl.print("mkdir", "/d/empty");
      expect(await etcdctl.print("rm", "--dir", "/d/empty")).toBe("");
    });

    it("are no values, and the other way round", async () => {
      await etcdctl.print("set", "/d/dir/file", "1");
      expect(await refusal("set", "/d/dir", "1")).toEqual([
        REFUSED,
        "Error:  102: Not a file (/d/dir)",
      ]);
      expect(await refusal("set", "/d/dir/file/below", "1")).toEqual([
        REFUSED,
        "Error:  104: Not a directory (/d/dir/file)",
      ]);
      expect(await refusal("rm", "--recursive", "/")).toEqual([
        REFUSED,
        "Error:  107: Root is read only (/)",
      ]);
    });
  });
});
