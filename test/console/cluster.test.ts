/** The pages of the console about a cluster, in Chromium: a cut-over from etcd 3.4 to 3.7, members and alarms. */

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ConsoleOptions, ConsoleServer } from "../../src/console/console-server.js";
import { CutoverRuns } from "../../src/console/cutover/cutover-runs.js";
import { arm, disarm } from "../../src/cutover/arm.js";
import { cutoverStatus } from "../../src/cutover/cutover-status.js";
import { openTarget } from "../../src/cutover/open-target.js";
import { EtcdClient } from "../../src/index.js";
import { createSourceGateway, type ServedGateway } from "../../src/server/index.js";
import { Cli } from "../support/cli-process.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import {
  describeInBrowser,
  expectAccessible,
  PATIENCE_MS,
  picture,
  sessionAt,
  useBrowser,
} from "./browser.js";

/** The texts of rows, in the browser. */
const cellsOf = (rows: readonly { readonly children: ArrayLike<{ textContent: string }> }[]) =>
  rows.map(({ children }) => Array.from(children, ({ textContent }) => textContent.trim()));

const QUOTA_BYTES = 4 * 1024 * 1024;
/** Nothing listens there. */
const NOWHERE = "http://127.0.0.1:1";

describeInBrowser("the pages of the console about a cluster", () => {
  describeWithEtcd("3.7", "of etcd 3.4 and 3.7", () => {
    const { serve, openLive: open } = useBrowser();
    const open_: AsyncDisposable[] = [];
    const keep = <T extends AsyncDisposable>(resource: T): T => {
      open_.push(resource);
      return resource;
    };
    let old: EtcdCluster;
    let next: EtcdCluster;
    let v2: EtcdClient;

    beforeAll(async () => {
      const quota = `--quota-backend-bytes=${QUOTA_BYTES}`;
      old = keep(await startEtcd({ release: "3.4", members: 3 }));
      next = keep(await startEtcd({ release: "3.7", args: [quota] }));
      v2 = keep(new EtcdClient({ urls: old.urls }));
    });
    afterAll(async () => {
      for (const each of open_.reverse()) await each[Symbol.asyncDispose]();
    });

    const start = (options: Partial<ConsoleOptions> = {}) =>
      serve({ options: { urls: next.urls, api: "v3" }, ...options });

    const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
    const soon = (read: () => Promise<unknown>) => expect.poll(read, { timeout: PATIENCE_MS });

    it("carries out a cut-over and the way back, after confirmations", async () => {
      const patient = { requestTimeout: 600_000, writeTimeout: 600_000, timeout: 600_000 };
      const source = { urls: old.urls, ...patient };
      const console = await start({ write: true, source: { options: { urls: old.urls } } });
      const page = await open(`${console.url}#/cutover`, { bypassCSP: true });
      const section = page.getByRole("region", { name: "Cut-over" });
      await section.getByText("No gateway is registered.").waitFor();

      const gateways: ServedGateway[] = [];
      for (let at = 0; at < 2; at++) {
        gateways.push(keep(await createSourceGateway({ source, etcd: { urls: next.urls } })));
      }
      const [first, second] = gateways.map(({ url }) =>
        keep(new EtcdClient({ urls: [url], ...patient })),
      );
      if (first === undefined || second === undefined) throw new Error("no gateway");
      await first.setNode("/app/name", "on v2");
      await section.getByText(gateways[1]?.url ?? "").waitFor();

      await page.getByLabel("Number of gateways that you run").fill("3");
      await button(page, "Arm").click();
      await section.getByText("2 gateways are registered instead of 3").waitFor();
      await page.getByLabel("Number of gateways that you run").fill("2");
      await page.getByLabel("Seconds for which requests may wait").fill("60");
      await button(page, "Arm").click();
      await section.getByText("Gateways serve from v2, and are ready to switch.").waitFor();
      await section.getByText("Check before the switch.").waitFor();
      expect(await button(page, "Switch to v3 …").isDisabled()).toBe(true);

      // A program that does not use the gateways.
      let isWriting = true;
      const foreign = (async () => {
        while (isWriting) await v2.setNode("/foreign", "1");
      })();
      await page.getByLabel("Seconds for which changes of v2 are counted").fill("1");
      await button(page, "Check").click();
      const check = page.getByRole("region", { name: "Check" });
      await check
        .getByText(/changes of v2 were not made by a registered gateway: set \/foreign/)
        .waitFor();
      isWriting = false;
      await foreign;
      expect(await button(page, "Switch to v3 …").isDisabled()).toBe(true);
      await fetch(`${gateways[0]?.url}/v2/keys/app`, {
        headers: { "User-Agent": "<b>tool</b>" },
      });
      await button(page, "Check").click();
      await check.getByText("Nothing prevents the switch.").waitFor();
      const clients = page.getByRole("region", { name: "Clients of the gateways" });
      await clients.getByText("<b>tool</b>").waitFor();
      await expectAccessible(page, "check");

      await button(page, "Switch to v3 …").click();
      const dialog = page.getByRole("dialog", { name: "Switch to v3" });
      await dialog.getByText("2 gateways take part").waitFor();
      await expectAccessible(page, "dialog");
      if (process.env.ETCDNET_SCREENSHOTS) {
        await page.emulateMedia({ colorScheme: "light" });
        await page.setViewportSize({ width: 900, height: 540 });
        await picture(page, "cutover");
      }
      await dialog.getByRole("textbox").fill("flap");
      expect(await button(page, "Switch to v3").isDisabled()).toBe(true);
      // Another operator, while this one reads.
      await using target = openTarget({ urls: next.urls });
      await disarm(target);
      await dialog.getByRole("textbox").fill("flip");
      await dialog.getByText("The gateways must be armed before the switch.").waitFor();
      expect(await button(page, "Switch to v3").isDisabled()).toBe(true);
      await button(page, "Cancel").click();
      // On a page that does not know of it yet.
      const other = await sessionAt(console);
      const flipping = { step: "flip", confirmation: "flip" };
      expect(await other.post("cutover-step", flipping)).toMatchObject({ status: 200 });
      await section.getByText("Not switched.").waitFor();
      await section.getByText("is source; this needs the state armed").waitFor();
      await section.getByText("The gateways go on with v2, and nothing is lost.").waitFor();
      await arm(v2, target, { gateways: 2, hold: 60_000 });
      await section.getByText("Gateways serve from v2, and are ready to switch.").waitFor();
      await button(page, "Switch to v3 …").click();
      await dialog.getByRole("textbox").fill("flip");
      await button(page, "Switch to v3").click();
      // The page need not stay.
      await page.reload();
      await section.getByText("Switched: the gateways serve from v3.").waitFor();
      await section.getByText(/Requests waited for [\d,]+ ms\./).waitFor();
      await second.setNode("/app/name", "on v3");
      expect(await v2.getNodeValue("/app/name")).toBe("on v2");
      const history = page.getByRole("region", { name: "Table of states" });
      await history.getByText(/^switched to v3, at index \d+ of v2$/).waitFor();
      await other.post("cutover-step", flipping);
      await section.getByText("is target; this needs the state armed").waitFor();
      await section.getByText("The gateways serve from v3 all the same").waitFor();

      await button(page, "Go back to v2 …").click();
      await page.getByRole("dialog").getByRole("textbox").fill("back");
      await button(page, "Go back to v2").click();
      await section.getByText("Returned: the gateways serve from v2.").waitFor();
      await history.getByText(/^returned to v2, at index \d+ of v3$/).waitFor();
      expect(await v2.getNodeValue("/app/name")).toBe("on v3");
      await expectAccessible(page, "after the return");
      await soon(async () => (await cutoverStatus(target.records)).state).toBe("returned");
      await arm(v2, target, { gateways: 2, hold: 60_000 });
      await section.getByText("The state has changed since.").waitFor();
    });

    const stepAt = async (console: ConsoleServer) => {
      const page = await sessionAt(console);
      return (fields: object) => page.post("cutover-step", fields);
    };

    it("carries out a step only with --write and --source, after its word, and one at a time", async () => {
      const source = { options: { urls: old.urls } };
      const observing = { step: "check", observe: 600 };
      const readOnly = await stepAt(await start({ source }));
      expect(await readOnly(observing)).toMatchObject({ status: 403 });
      const alone = await stepAt(await start({ write: true }));
      expect((await alone(observing)).body.message).toContain("--source");
      const onV2 = await start({ write: true, source, options: { urls: old.urls } });
      expect((await (await stepAt(onV2))(observing)).body.message).toContain("--api v3");

      const away = await start({ write: true, source, options: { urls: [NOWHERE], api: "v3" } });
      // It would replace the outcome of the last step.
      expect(await (await stepAt(away))(observing)).toMatchObject({ status: 502 });

      const etcd = { urls: next.urls };
      await using _gateway = await createSourceGateway({ source: { urls: old.urls }, etcd });
      const console = await start({ write: true, source });
      const page = await stepAt(console);
      const badly = [
        ...[{ step: "flip" }, { step: "flip", confirmation: "back" }, { step: "finish" }],
        ...[{ step: "arm" }, { step: "arm", gateways: "2" }, { step: "check", observe: 1e9 }],
      ];
      for (const fields of badly) expect(await page(fields)).toMatchObject({ status: 400 });
      expect(await page(observing)).toMatchObject({ status: 200 });
      const flipping = { step: "flip", confirmation: "flip" };
      expect(await (await stepAt(console))(flipping)).toMatchObject({
        ...{ status: 409, body: { message: "check is still running; one step at a time" } },
      });
      // It waits for the gateway, and then for ten minutes.
      const { get, post } = await sessionAt(console);
      await post("cutover-stop", {});
      await soon(async () => (await get("cutover")).body.check).toMatchObject({
        ...{ isRunning: false, failure: { isStopped: true } },
      });
      // What was checked before says nothing any more.
      await page({ step: "arm", gateways: 99 });
      expect((await get("cutover")).body).toMatchObject({ run: { step: "arm" } });
      expect((await get("cutover")).body.check).toBeUndefined();
      await console.close();
      const runs = new CutoverRuns(source);
      await runs.close();
      const request = { step: "disarm", hold: 1, observe: 1, gateways: 1 } as const;
      expect(() => runs.start(request, { urls: next.urls, api: "v3" })).toThrow("is ending");
    });

    it.each([
      [["--source", "http://v2:1"], "--source needs --api v3"],
      [["--source-cert", "v2.pem"], "--source-cert needs --source"],
    ])("etcdnet console refuses %j", async (options, message) => {
      await using cli = new Cli("console", "--port", "0", ...options);
      expect(await cli.exit).not.toBe(0);
      expect(cli.stderr).toContain(message);
    });

    it("of a gateway, shows and changes the keys that the gateway serves", async () => {
      const gateway = ["gateway", "--port", "0", "--endpoints", next.urls.join(",")];
      await using cli = new Cli(...gateway, "--console", "0", "--console-write");
      const url = await cli.url();
      await expect.poll(() => cli.stdout).toContain("console on ");
      const [, address = ""] = /^console on (\S+)$/m.exec(cli.stdout) ?? [];
      expect(new URL(address).port).not.toBe(new URL(url).port);
      const page = await open(`${address}#/keys/of-gateway`);
      await page.getByText("This key does not exist.").waitFor();
      const v3 = keep(new EtcdClient({ urls: next.urls, api: "v3" }));
      await v3.setNode("/of-gateway", "from v3");
      await page
        .getByRole("textbox", { name: /^Value of/ })
        .getByText("from v3")
        .waitFor();
      await page.getByRole("textbox", { name: /^Value of/ }).press("Control+a");
      await page.keyboard.type("from the page");
      await button(page, "Review changes").click();
      await button(page, "Save").click();
      await page.getByText("Saved.").waitFor();
      expect(await v3.getNodeValue("/of-gateway")).toBe("from the page");
      expect(await page.getByRole("link", { name: "Cut-over" }).count()).toBe(0);
      cli.kill("SIGTERM");
      expect(await cli.exit).toBe(0);
    });

    it.each([
      ["v3", "hangs", /no response|timed out/i],
      ["v2", "is gone", /ECONNREFUSED/],
    ] as const)("with %s, says that a member %s", async (api, fault, reason) => {
      const options = { urls: old.urls, api, requestTimeout: 1_000 };
      const page = await open(`${(await start({ options })).url}#/cluster`);
      const member = old.members[2] ?? old.members[0];
      const table = page.getByRole("region", { name: "Table of endpoints" });
      const row = table.getByRole("row", { name: member.url });
      await row.getByText("healthy", { exact: true }).waitFor();
      if (fault === "hangs") member.pause();
      else await member.kill();
      await row.getByText(/^not healthy/).waitFor();
      await row.getByText(reason).waitFor();
      expect(await table.getByText("healthy", { exact: true }).count()).toBe(2);
      if (fault === "hangs") member.resume();
      else await member.start();
      await row.getByText("healthy", { exact: true }).waitFor();
    });

    it("finds all locks, elections and registries of the tree", async () => {
      const held = keep(
        await v2.lock("/top/locks/a", { ttl: 600 }).acquire({ data: "<i>one</i>" }),
      );
      const second = v2.lock("/top/locks/a", { ttl: 600 }).acquire();
      second.catch(() => {});
      await soon(async () => (await v2.getNode("/top/locks/a")).node.nodes?.length).toBe(2);
      keep(await v2.election("/top/mail").campaign("host 1"));
      keep(await v2.registry("/top").register("web", { id: "w1", metadata: null }));
      await v2.setNode("/top/settings/a", "1");
      const console = await start({ options: { urls: old.urls }, prefix: "/top" });
      const page = await open(`${console.url}#/recipes`, { bypassCSP: true });
      await button(page, "Find").click();
      await page.getByText("3 found; 10 keys in 6 directories read. Complete").waitFor();
      const rows = page.getByRole("region", { name: "Table of recipes" }).locator("tbody tr");
      expect(await rows.evaluateAll(cellsOf)).toEqual([
        ["/locks/a", "lock or election", "<i>one</i>", `${held.fencingToken}`, "1 waiting"],
        ["/mail", "lock or election", "host 1", expect.stringMatching(/^\d+$/), ""],
        ["/web", "registry", "w1", "", ""],
      ]);
      await expectAccessible(page, "recipes");
      await page.reload();
      await rows.nth(2).waitFor();
      await page.getByRole("link", { name: "/locks/a" }).click();
      const participants = page.getByRole("region", { name: "Participants" });
      await participants.getByText("holds it or leads").waitFor();
      await participants.getByText("waits as number 1").waitFor();
      await expectAccessible(page, "lock");
      await held.release();
      await (await second).release();
    });

    it("shows alarms", async () => {
      const page = await open(`${(await start()).url}#/cluster`, { bypassCSP: true });
      const endpoints = page.getByRole("region", { name: "Table of endpoints" });
      await endpoints.getByText("healthy", { exact: true }).waitFor();
      await using v3 = new EtcdClient({ urls: next.urls, api: "v3" });
      const value = "x".repeat(QUOTA_BYTES / 4);
      const fill = async () => {
        for (let at = 0; at < 8; at++) await v3.setNode(`/large/${at}`, value);
      };
      await expect(fill()).rejects.toThrow("database space exceeded");
      await page.getByRole("alert").getByText("NOSPACE").waitFor();
      await endpoints.getByText("not healthy", { exact: true }).waitFor();
      await endpoints.getByText(/^3\.7\.\d+$/).waitFor();
      await endpoints.getByText(/MiB in use$/).waitFor();
      await expectAccessible(page, "alarm");
    });

    it("with credentials for v2, needs the access key", async () => {
      const credentials = { username: "root", password: "secret" };
      const source = { options: { urls: old.urls, ...credentials } };
      const console = await start({ write: true, source });
      expect((await sessionAt(console)).token).toBeUndefined();
      const [, accessKey] = console.urlWithAccess.split("#access=");
      expect((await sessionAt(console, { accessKey })).token).toBeDefined();
    });
  });
});
