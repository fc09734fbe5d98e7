import { expect, it } from "vitest";
import { describeOnBothServers } from "./both-servers.js";
import { EtcdctlRunner, findEtcdctl } from "./etcdctl.js";

const UNAUTHORISED = [
  4,
  "Error:  110: The request requires user authentication (Insufficient credentials) [0]",
];
const INSUFFICIENT = [1, "Insufficient credentials"];
const AS_ROOT = ["--username", "root:secret"];
const AS_ALICE = ["--username", "alice:wonder"];

/** In order: each test goes on from where the one before it ended. */
describeOnBothServers("etcdctl's auth", findEtcdctl(), (path, server) => {
  const etcdctl = new EtcdctlRunner(path, server);

  it("makes roles", async () => {
    expect(await etcdctl.print("role", "list")).toBe("root\n");
    expect(await etcdctl.print("role", "add", "dev")).toBe("Role dev created\n");
    expect(await etcdctl.refusal("role", "add", "dev")).toEqual([1, "Role dev already exists"]);
    expect(await etcdctl.print("role", "grant", "dev", "--path", "/dev/*", "--rw")).toBe(
      "Role dev updated\n",
    );
    await etcdctl.print("role", "grant", "dev", "--path", "/seen", "--read");
    expect(await etcdctl.print("role", "get", "dev")).toBe(
      "Role: dev\nKV Read:\n\t/dev/*\n\t/seen\nKV Write:\n\t/dev/*\n",
    );
    expect(await etcdctl.refusal("role", "grant", "none", "--path", "/", "--read")).toEqual([
      1,
      "auth: Role none does not exist.",
    ]);
  });

  it("makes users", async () => {
    expect(await etcdctl.print("user", "list")).toBe("");
    expect(await etcdctl.refusal("auth", "enable")).toEqual([
      1,
      "auth: No root user available, please create one",
    ]);
    expect(await etcdctl.print("user", "add", "root:secret")).toBe("User root created\n");
    expect(await etcdctl.print("user", "add", "alice:start")).toBe("User alice created\n");
    // etcd takes that for a change, and etcdctl says what it always says.
    expect(await etcdctl.print("user", "add", "alice:again")).toBe("User alice created\n");
    expect(await etcdctl.print("user", "list")).toBe("alice\nroot\n");
    expect(await etcdctl.refusal("user", "get", "bob")).toEqual([
      1,
      "auth: User bob does not exist.",
    ]);
  });

  it("grants roles to users, and takes passwords", async () => {
    expect(await etcdctl.print("user", "grant", "alice", "--roles", "dev")).toBe(
      "User alice updated\n",
    );
    expect(await etcdctl.print("user", "get", "alice")).toBe("User: alice\nRoles:  dev\n");
    const { code, stdout } = await etcdctl.run(["user", "passwd", "alice"], { input: "wonder\n" });
    expect([code, stdout]).toEqual([0, expect.stringContaining("Password updated\n")]);
  });

  it("is enabled", async () => {
    expect(await etcdctl.print("auth", "enable")).toBe("Authentication Enabled\n");
    expect(await etcdctl.refusal("auth", "enable")).toEqual(INSUFFICIENT);
  });

  it("lets guests do all until their role is removed", async () => {
    expect(await etcdctl.print("set", "/seen", "1")).toBe("1\n");
    expect(await etcdctl.print(...AS_ROOT, "role", "remove", "guest")).toBe("Role guest removed\n");
    expect(await etcdctl.refusal("get", "/seen")).toEqual(UNAUTHORISED);
  });

  it("lets users do what their roles allow", async () => {
    expect(await etcdctl.print(...AS_ALICE, "set", "/dev/x", "1")).toBe("1\n");
    expect(await etcdctl.print(...AS_ALICE, "get", "/seen")).toBe("1\n");
    expect(await etcdctl.refusal(...AS_ALICE, "ls", "/dev")).toEqual(UNAUTHORISED);
    expect(await etcdctl.print(...AS_ALICE, "ls", "/dev/")).toBe("/dev/x\n");
    expect(await etcdctl.refusal(...AS_ALICE, "set", "/seen", "2")).toEqual(UNAUTHORISED);
    expect(await etcdctl.refusal(...AS_ALICE, "ls", "/")).toEqual(UNAUTHORISED);
    expect(await etcdctl.refusal("-u", "alice:start", "get", "/seen")).toEqual(UNAUTHORISED);
    expect(await etcdctl.refusal("-u", "bob:x", "get", "/seen")).toEqual(UNAUTHORISED);
    expect(await etcdctl.print(...AS_ROOT, "set", "/other", "2")).toBe("2\n");
  });

  it("keeps users and roles to root", async () => {
    expect(await etcdctl.refusal("user", "list")).toEqual(INSUFFICIENT);
    expect(await etcdctl.refusal(...AS_ALICE, "role", "list")).toEqual([
      1,
      "unexpected status code 401",
    ]);
    expect(await etcdctl.print(...AS_ROOT, "user", "list")).toBe("alice\nroot\n");
    expect(await etcdctl.print(...AS_ROOT, "role", "list")).toBe("dev\nroot\n");
    expect(await etcdctl.refusal("auth", "disable")).toEqual(INSUFFICIENT);
    expect(await etcdctl.refusal(...AS_ALICE, "auth", "disable")).toEqual(INSUFFICIENT);
  });

  it("shows the members to anybody", async () => {
    expect(await etcdctl.print("member", "list")).toContain("isLeader=true");
    expect(await etcdctl.print("cluster-health")).toContain("cluster is healthy");
  });

  it("takes back what it gave", async () => {
    const revoke = ["role", "revoke", "dev", "--path", "/dev/*", "--write"];
    expect(await etcdctl.print(...AS_ROOT, ...revoke)).toBe("Role dev updated\n");
    expect(await etcdctl.refusal(...AS_ALICE, "set", "/dev/x", "2")).toEqual(UNAUTHORISED);
    expect(await etcdctl.print(...AS_ALICE, "get", "/dev/x")).toBe("1\n");
    expect(await etcdctl.print(...AS_ROOT, "user", "revoke", "alice", "--roles", "dev")).toBe(
      "User alice updated\n",
    );
    expect(await etcdctl.refusal(...AS_ALICE, "get", "/dev/x")).toEqual(UNAUTHORISED);
    expect(await etcdctl.print(...AS_ROOT, "user", "remove", "alice")).toBe("User alice removed\n");
    expect(await etcdctl.print(...AS_ROOT, "role", "remove", "dev")).toBe("Role dev removed\n");
  });

  it("is disabled again", async () => {
    expect(await etcdctl.print(...AS_ROOT, "auth", "disable")).toBe("Authentication Disabled\n");
    expect(await etcdctl.print("get", "/other")).toBe("2\n");
  });
});
