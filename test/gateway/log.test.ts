import { beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { EtcdClient } from "../../src/index.js";
import { Cli } from "../support/cli-process.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";

beforeAll(buildIfStale);

interface Line extends Readonly<Record<string, unknown>> {
  readonly message: string;
}

function linesOf(cli: Cli): readonly Line[] {
  const complete = cli.stderr.slice(0, cli.stderr.lastIndexOf("\n") + 1);
  return complete
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

describeWithEtcd("3.7", "the log of a gateway", () => {
  it("tells of v2 auth, a member that fails and recovers, the watch on etcd, and an election", async () => {
    await using etcd = await startEtcd({ release: "3.7", v2: false });
    const [member] = etcd.members;
    const variables = { ETCDNET_ENDPOINTS: member.url, ETCDNET_LOG_FORMAT: "json" };
    await using cli = new Cli("gateway", "--port", "0", variables);
    const url = await cli.url();
    const check = async (): Promise<readonly string[]> => {
      await fetch(`${url}/readyz`);
      return linesOf(cli).map(({ message }) => message);
    };
    await expect.poll(check).toContain("ready");

    await using client = new EtcdClient({ urls: [url] });
    await client.auth.users.create("root", { password: "secret" });
    await client.auth.enable();
    await expect.poll(check).toContain("v2 auth is on");
    await using root = new EtcdClient({ urls: [url], username: "root", password: "secret" });
    await root.auth.disable();
    await expect.poll(check).toContain("v2 auth is off");

    const ending = new AbortController();
    const watch = client.watchNode("/a", { signal: ending.signal }).catch(() => "ended");
    await expect
      .poll(async () => (await fetch(`${url}/metrics`)).text())
      .toMatch(/^etcd_debugging_store_watchers 1$/m);
    await member.kill();
    await expect
      .poll(check)
      .toEqual(expect.arrayContaining(["member failed", "the watch on etcd was lost"]));
    await member.start();
    await expect
      .poll(check)
      .toEqual(
        expect.arrayContaining([
          "member has recovered",
          "the watch on etcd was restored",
          "a leader was elected",
        ]),
      );
    ending.abort();
    expect(await watch).toBe("ended");
    const lines = linesOf(cli);
    const failed = lines.filter(({ message }) => message === "member failed");
    expect(failed).toEqual([expect.objectContaining({ level: "warn", endpoint: member.url })]);
    expect(lines.filter(({ message }) => message === "a leader was elected")).toEqual([
      expect.objectContaining({ level: "info", term: expect.any(Number) }),
    ]);
    expect(cli.stderr).not.toContain("secret");
  });
});
