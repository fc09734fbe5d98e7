import { afterEach, describe, expect, it } from "vitest";
import type { Started } from "../foreign/run.js";
import { cliSession } from "./session.js";

const PATIENCE = { timeout: 60_000, interval: 20 };
const cli = cliSession();
const started: Started[] = [];

afterEach(async () => {
  for (const { child } of started) child.kill("SIGKILL");
  await Promise.all(started.splice(0).map(({ ended }) => ended));
});

function start(...args: readonly string[]): Started {
  const process = cli.start(...args);
  started.push(process);
  return process;
}

const index = async (): Promise<number> => (await cli.etcd.setNode("/elsewhere", "")).etcdIndex;
const after = async (): Promise<readonly string[]> => ["--after-index", String(await index())];

describe("etcdnet watch", () => {
  it("prints one change and ends", async () => {
    const watch = start("watch", ...(await after()), "/one");
    await cli.etcd.setNode("/one", "1");
    expect(await watch.ended).toEqual({ code: 0, stdout: "1\n", stderr: "" });
  });

  it("continues with --forever until Ctrl-C", async () => {
    const watch = start("watch", "--forever", "--recursive", ...(await after()), "/many");
    for (let count = 1; count <= 50; count++) await cli.etcd.setNode(`/many/${count}`, `${count}`);
    await cli.etcd.setNode("/many/dir", null, { dir: true });
    await cli.etcd.deleteNode("/many/1");
    const changes = Array.from({ length: 50 }, (_, at) => `[set] /many/${at + 1}\n${at + 1}\n`);
    const printed = `${changes.join("")}[delete] /many/1\nPrevNode.Value: 1\n`;
    await expect.poll(watch.printed, PATIENCE).toBe(printed);
    watch.child.kill("SIGINT");
    expect(await watch.ended).toEqual({ code: 0, stdout: printed, stderr: "" });
  });

  it("reports missed changes on standard error", async () => {
    const from = String(await index());
    for (let count = 0; count < 1100; count++) await cli.etcd.setNode("/history", `${count}`);
    const watch = start("watch", "--forever", "--after-index", from, "/history");
    const { child } = watch;
    let stderr = "";
    child.stderr?.on("data", (text: string) => {
      stderr += text;
    });
    await expect
      .poll(() => stderr, PATIENCE)
      .toMatch(/^Warning: {2}history-cleared: changes before index \d+ may be missing\n$/);
    await cli.etcd.setNode("/history", "later");
    await expect.poll(watch.printed, PATIENCE).toBe("later\n");
  });

  it("ends without --forever when changes were missed, as etcdctl does", async () => {
    const { code, stderr } = await cli.run(["watch", "--after-index", "1", "/history"]);
    expect(code).toBe(4);
    expect(stderr).toMatch(/^Error: {2}401: The event in requested index is outdated and cleared/);
  });

  it("ends on Ctrl-C while it waits", async () => {
    const watch = start("watch", "--forever", ...(await after()), "/quiet");
    await cli.etcd.setNode("/quiet", "1");
    await expect.poll(watch.printed, PATIENCE).toBe("1\n");
    watch.child.kill("SIGINT");
    expect(await watch.ended).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("etcdnet exec-watch", () => {
  it("runs a program for each change, one after the other", async () => {
    const show =
      'sleep 0.0$((10 - $ETCD_WATCH_VALUE)); env | grep ^ETCD_WATCH | sort | tr "\\n" " "; echo';
    const from = await after();
    const watch = start("exec-watch", "--recursive", ...from, "/run", "--", "sh", "-c", show);
    const indexes: number[] = [];
    for (const value of ["1", "5", "9"]) {
      indexes.push((await cli.etcd.setNode("/run/x", value)).node.modifiedIndex);
    }
    const [one, five, nine] = indexes.map(
      (at, position) =>
        `ETCD_WATCH_ACTION=set ETCD_WATCH_KEY=/run/x ETCD_WATCH_MODIFIED_INDEX=${at} ` +
        `ETCD_WATCH_VALUE=${[1, 5, 9][position]} \n`,
    );
    await expect.poll(watch.printed, PATIENCE).toBe(`${one}${five}${nine}`);
    watch.child.kill("SIGINT");
    expect(await watch.ended).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("etcdnet lock", () => {
  it("runs a program while the lock is held, and has its exit code", async () => {
    const program = ["sh", "-c", "echo $ETCD_LOCK_KEY $ETCD_LOCK_FENCING_TOKEN; exit 7"];
    const { code, stdout, stderr } = await cli.run(["lock", "/locks/a", "--", ...program]);
    const [key, token = ""] = stdout.trim().split(" ");
    expect([code, stderr]).toEqual([7, ""]);
    expect(key).toBe(`/locks/a/${token.padStart(20, "0")}`);
    expect((await cli.etcd.getNode("/locks/a")).node.nodes).toBeUndefined();
  });

  it("waits in a queue, up to --timeout", async () => {
    const holder = start("lock", "/locks/b");
    await expect.poll(holder.printed, PATIENCE).toMatch(/^\/locks\/b\/\d+\n$/);
    const now = await cli.run(["lock", "/locks/b", "--wait", "0s", "--", "true"]);
    expect([now.code, now.stderr]).toEqual([4, expect.stringContaining("is held")]);
    const soon = await cli.run(["lock", "/locks/b", "--wait", "100ms", "--", "true"]);
    expect([soon.code, soon.stderr]).toEqual([4, expect.stringContaining("within 100 ms")]);
    // A key that was being created when the time was over ends with its TTL.
    const queue = async () => (await cli.etcd.getNode("/locks/b")).node.nodes;
    await expect.poll(queue, PATIENCE).toHaveLength(1);
    const next = start("lock", "/locks/b", "--", "echo", "mine");
    await expect.poll(queue, PATIENCE).toHaveLength(2);
    expect(next.printed()).toBe("");
    holder.child.kill("SIGTERM");
    expect(await holder.ended).toMatchObject({ code: 0, stderr: "" });
    expect(await next.ended).toMatchObject({ code: 0, stdout: "mine\n" });
  });

  it("ends the program when the lock is lost", async () => {
    const program = [
      "sh",
      "-c",
      'trap "echo told; exit 3" TERM; echo on; while :; do sleep 0.05; done',
    ];
    const lock = start("lock", "/locks/c", "--ttl", "3", "--", ...program);
    await expect.poll(lock.printed, PATIENCE).toBe("on\n");
    const { node } = await cli.etcd.getNode("/locks/c");
    for (const { key } of node.nodes ?? []) await cli.etcd.deleteNode(key);
    const { code, stdout, stderr } = await lock.ended;
    expect(stdout).toBe("on\ntold\n");
    expect([code, stderr]).toEqual([
      4,
      expect.stringMatching(/^Error: {2}lost ownership of \/locks\/c\/[^\n]*\n$/),
    ]);
  });
});

describe("etcdnet elect", () => {
  it("leads until a signal, and shows the leader", async () => {
    const first = start("elect", "/election", "first");
    await expect.poll(first.printed, PATIENCE).toMatch(/^\/election\/\d+\nfirst\n$/);
    const observer = start("elect", "--listen", "/election");
    await expect.poll(observer.printed, PATIENCE).toBe(first.printed());
    const second = start("elect", "/election", "second");
    await expect
      .poll(async () => (await cli.etcd.getNode("/election")).node.nodes, PATIENCE)
      .toHaveLength(2);
    first.child.kill("SIGINT");
    await expect.poll(second.printed, PATIENCE).toMatch(/^\/election\/\d+\nsecond\n$/);
    await expect.poll(observer.printed, PATIENCE).toBe(first.printed() + second.printed());
    expect(await first.ended).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("etcdnet register", () => {
  it("registers an instance while a program runs", async () => {
    const register = start(
      ...["register", "/services/mail", "m1", "--metadata", '{"port":25}'],
      ...["--", "sh", "-c", "echo $ETCD_REGISTER_KEY; read end"],
    );
    await expect.poll(register.printed, PATIENCE).toBe("/services/mail/m1\n");
    expect((await register.ended).code).toBe(1);
    expect((await cli.etcd.getNode("/services/mail")).node.nodes).toBeUndefined();
  });

  it("without a program, registers until Ctrl-C or until another process takes over", async () => {
    const first = start("register", "/services/web", "w1");
    await expect.poll(first.printed, PATIENCE).toBe("/services/web/w1\n");
    const second = start("register", "/services/web", "w1", "--ttl", "3");
    await expect.poll(second.printed, PATIENCE).toBe("/services/web/w1\n");
    expect(await first.ended).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("(taken-over)"),
    });
    second.child.kill("SIGINT");
    expect(await second.ended).toMatchObject({ code: 0, stderr: "" });
    expect((await cli.etcd.getNode("/services/web")).node.nodes).toBeUndefined();
  });
});
