/** The commands of docs/cutover.md, with gateways that are processes. */

import { beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { openTarget } from "../../src/cutover/open-target.js";
import { EtcdClient } from "../../src/index.js";
import { Cli } from "../support/cli-process.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";

/** Long enough for a busy machine. */
const HOLD = "20s";

describeWithEtcd("3.7", "etcdnet cutover", () => {
  beforeAll(buildIfStale);

  it("switches without a gateway that has stopped, which continues on v3", async () => {
    await using old = await startEtcd({ release: "3.5", members: 3 });
    await using next = await startEtcd({ release: "3.7" });
    const [oldUrls, newUrls] = [old.urls.join(","), next.urls.join(",")];
    const cutover = async (...args: readonly string[]) => {
      await using cli = new Cli("cutover", ...args, "--endpoints", newUrls);
      const code = await cli.exit;
      return { code, stdout: cli.stdout, stderr: cli.stderr };
    };
    const status = async () => JSON.parse((await cutover("status", "-o", "json")).stdout);
    const clusters = ["--source", oldUrls, "--endpoints", newUrls];
    await using checking = new Cli("gateway", "--port", "0", ...clusters, "--check");
    expect(await checking.exit, checking.stdout).toBe(0);
    expect(checking.stdout).toMatch(/^ok {6}on v3: write the records of the cut-over$/m);
    const startGateway = () => new Cli("gateway", "--port", "0", ...clusters);
    await using one = startGateway();
    await using two = startGateway();
    const urls = [await one.url(), await two.url()] as const;
    const [first, second] = urls;
    await using onFirst = new EtcdClient({ urls: [first] });
    await using onSecond = new EtcdClient({
      urls: [second],
      writeTimeout: 600_000,
      timeout: 600_000,
    });
    await using source = new EtcdClient({ urls: old.urls });
    await onFirst.setNode("/app/name", "1");
    await onSecond.setNode("/app/_lock/held", "1");

    expect(await cutover("flip", "--source", oldUrls)).toMatchObject({
      code: 4,
      stderr: "Error:  the state of the cut-over is source; this needs the state armed\n",
    });
    const armed = ["arm", "--source", oldUrls, "--gateways", "2", "--hold", HOLD];
    expect(await cutover(...armed)).toMatchObject({ code: 0, stdout: "armed\n" });
    expect(await status()).toMatchObject({ state: "armed", blockers: [] });
    const checked = await cutover("check", "--source", oldUrls, "--observe", "1s");
    expect(checked).toMatchObject({ code: 0, stderr: "" });
    expect(checked.stdout).toMatch(
      /^hidden key: \/app\/_lock\nnodes: \d+, .*\nchanges of v2 .*\nnothing prevents the switch\n$/s,
    );
    const rehearsed = await cutover("rehearse", "--source", oldUrls);
    expect(rehearsed.stdout).toMatch(
      /^ready to switch at index \d+ of v2; requests waited for \d+ ms\n$/,
    );

    two.kill("SIGSTOP");
    // In its socket while it is stopped.
    const waiting = onSecond.compareAndSwapNode("/app/name", { prevValue: "2" }, "4");
    waiting.catch(() => {});
    await using target = openTarget({ urls: next.urls });
    await expect.poll(() => target.records.gateways()).toHaveLength(1);
    await onFirst.setNode("/app/name", "2");
    const flipped = await cutover("flip", "--source", oldUrls);
    expect(flipped.stderr).toMatch(/^holding\ncopied: /m);
    expect(flipped.stdout).toMatch(/^switched at index \d+ of v2; requests waited for \d+ ms\n$/);
    await onFirst.setNode("/app/name", "3");
    two.kill("SIGCONT");
    // What the client gets back is what v3 says: the value is not "2" any more.
    await expect(waiting).rejects.toMatchObject({ errorCode: 101 });
    expect(await onSecond.getNodeValue("/app/name")).toBe("3");
    expect(await onSecond.getNodeValue("/app/_lock/held")).toBe("1");
    expect(await source.getNodeValue("/app/name")).toBe("2");
    expect(await status()).toMatchObject({ state: "target", wayBack: true, blockers: [] });

    two.kill("SIGSTOP");
    const late = onSecond.compareAndSwapNode("/app/name", { prevValue: "3" }, "late");
    const created = onSecond.createNode("/app/created", "1");
    for (const each of [late, created]) each.catch(() => {});
    await expect.poll(() => target.records.gateways()).toHaveLength(1);
    await onFirst.setNode("/app/name", "5");
    const returned = await cutover("back", "--source", oldUrls);
    expect(returned.stderr).toMatch(/^holding\ncopied: /m);
    expect(returned.stdout).toMatch(
      /^returned to v2 at index \d+ of v3; requests waited for \d+ ms\n$/,
    );
    expect(await source.getNodeValue("/app/name")).toBe("5");
    two.kill("SIGCONT");
    await expect(late).rejects.toMatchObject({ errorCode: 101 });
    await created;
    expect(await source.getNodeValue("/app/created")).toBe("1");
    expect(await source.getNodeValue("/app/_lock/held")).toBe("1");
    expect(await onFirst.getNodeValue("/app/name")).toBe("5");
    await expect.poll(status).toMatchObject({ state: "returned", wayBack: false, blockers: [] });
    expect(await cutover(...armed)).toMatchObject({ code: 0 });
    expect(await cutover("disarm")).toMatchObject({ code: 0 });
    expect(await status()).toMatchObject({ state: "returned" });
    expect(await cutover(...armed)).toMatchObject({ code: 0 });
    expect(await cutover("flip", "--source", oldUrls)).toMatchObject({ code: 0 });
    expect(await onSecond.getNodeValue("/app/created")).toBe("1");

    // Started after the switch, a gateway never serves from v2, and does not need it.
    await old.stop();
    await using three = startGateway();
    await using onThird = new EtcdClient({ urls: [await three.url()] });
    const { node: held } = await onFirst.getNode("/app/_lock/held");
    expect((await onThird.getNode("/app/_lock/held")).node).toEqual(held);
    expect(await onThird.getNodeValue("/app/name")).toBe("5");
    expect((await cutover("disarm")).stderr).toMatch(/is target; this needs the state armed/);
    expect((await cutover("abort")).stderr).toMatch(/is target; this needs the state holding/);
    expect(await cutover("finish")).toMatchObject({ code: 0, stdout: "finished\n" });
    expect(await status()).toMatchObject({ state: "target", wayBack: false });
    const back = await cutover("back", "--source", oldUrls);
    expect(back.stderr).toMatch(/the cut-over was finished, so there is no way back/);
    expect((await onThird.getNode("/app/_lock/held")).node).toEqual(held);
  });
});
