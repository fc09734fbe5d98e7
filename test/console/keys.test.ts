/** Keys in the page of the console, in Chromium: what was deleted, what is no text, and who may read what. */

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ConsoleServer } from "../../src/console/console-server.js";
import { EtcdClient } from "../../src/index.js";
import { startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import { toBase64 } from "../support/base64.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { V3Tool } from "../v3/v3-tools.js";
import { describeInBrowser, sessionAt, useBrowser } from "./browser.js";

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const editor = (page: Page) => page.getByRole("textbox", { name: /^Value of/ });
const row = (page: Page, key: string) =>
  page.getByRole("treeitem").filter({ has: page.locator(".name", { hasText: key }) });

describeInBrowser("keys in the page of the console", () => {
  const browser = useBrowser();
  let name = 0;

  /** A directory for each test. */
  const top = (): string => `/t${++name}`;

  describeWithEtcd("3.7", "on etcd 3.7", () => {
    let cluster: EtcdCluster;
    let etcd: EtcdClient;
    let tool: V3Tool;
    let console: ConsoleServer;
    beforeAll(async () => {
      cluster = await startEtcd({ release: "3.7", args: ["--unsafe-no-fsync"] });
      etcd = new EtcdClient({ urls: cluster.urls, api: "v3" });
      tool = new V3Tool(cluster.urls);
      console = await browser.serve({ write: true, options: { urls: cluster.urls, api: "v3" } });
    });
    afterAll(async () => {
      await etcd?.close();
      await cluster?.stop();
    });

    const bytes = (...values: number[]): Buffer => Buffer.from(values);
    const bytesOf = async (key: string): Promise<unknown> => {
      const { kvs } = await tool.ask("kv/range", { key: toBase64(key) });
      const [kv] = kvs as unknown as readonly { readonly value: string }[];
      return Buffer.from(kv?.value ?? "", "base64");
    };
    const presentRevision = async (): Promise<number> => {
      const { header } = await tool.ask("kv/range", { key: toBase64("/") });
      return Number((header as { readonly revision: string }).revision);
    };
    const compact = async (): Promise<number> => {
      const revision = await presentRevision();
      await tool.ask("kv/compaction", { revision, physical: true });
      return revision;
    };
    const past = (page: Page) => page.getByRole("region", { name: "Directory in the past" });
    const openRemovals = async (page: Page): Promise<void> => {
      await page.getByText("Deleted earlier below this key").click();
    };
    const textOf = (key: string) => etcd.getNodeValue(key, { ignoreKeyNotFound: true });

    it("puts a deleted directory back, and overwrites nothing", async () => {
      const dir = top();
      await etcd.setNode(`${dir}/a`, "one");
      await etcd.setNode(`${dir}/b/changed`, "old");
      await etcd.setNode(`${dir}/b/_hidden`, "plan");
      await etcd.setNode(`${dir}/lock`, "holder", { ttl: 3_000 });
      await tool.put(`${dir}/bytes`, bytes(0x61, 0xff));
      await etcd.setNode(`${dir}/late`, "mine");
      await etcd.deleteNode(dir, { recursive: true });
      await etcd.setNode(`${dir}/b/changed`, "new");
      const page = await browser.open(`${console.url}#/keys${dir}`);
      await openRemovals(page);
      await page.getByRole("button", { name: /^Compare with now: revision \d+$/ }).click();
      const summary =
        "6 keys then, 0 as they were, 5 missing now, 1 with another value now, 0 new since.";
      await past(page).getByText(summary).waitFor();
      const missing = past(page).getByRole("list", { name: "Missing now" }).getByRole("listitem");
      expect(await missing.allTextContents()).toEqual(
        ["a", "b/_hidden", "bytes", "late", "lock"].map((key) => `${dir}/${key}`),
      );
      // After the comparison.
      await etcd.setNode(`${dir}/late`, "theirs");
      await button(page, "Recover 4 keys").click();
      await past(page).getByText("2 keys created, 2 left.").waitFor();
      const left = past(page).getByRole("list", { name: "Not recovered" });
      expect((await left.getByRole("listitem").allTextContents()).toSorted()).toEqual([
        expect.stringMatching(/bytesits value is not UTF-8/),
        expect.stringMatching(/lateit was written since the comparison/),
      ]);
      const keys = ["a", "b/_hidden", "b/changed", "late", "lock", "bytes"];
      const values = await Promise.all(keys.map((key) => textOf(`${dir}/${key}`)));
      expect(values).toEqual(["one", "plan", "new", "theirs", null, null]);
      // What is chosen.
      await past(page).getByText("2 as they were, 2 missing now").waitFor();
      await page.getByLabel(`Put back the value of ${dir}/b/changed`).check();
      await page.getByLabel(`Put back the value of ${dir}/late`).check();
      await page.getByLabel("Recover those with a TTL, too").check();
      await etcd.setNode(`${dir}/late`, "theirs again");
      await button(page, "Recover 4 keys").click();
      await past(page).getByText("1 key created, 1 value put back, 2 left.").waitFor();
      expect(await textOf(`${dir}/b/changed`)).toBe("old");
      expect(await textOf(`${dir}/late`)).toBe("theirs again");
      await past(page)
        .getByText("4 as they were, 1 missing now, 1 with another value now")
        .waitFor();
      expect((await etcd.getNode(`${dir}/lock`)).node).toMatchObject({ value: "holder" });
    });

    it("says why a recovery was refused, also after the comparison was read again", async () => {
      const dir = top();
      await etcd.setNode(`${dir}/a`, "1");
      await etcd.deleteNode(dir, { recursive: true });
      const revision = (await presentRevision()) - 1;
      const page = await browser.open(`${console.url}#/keys${dir}`);
      await openRemovals(page);
      await page.getByLabel("Revision", { exact: true }).fill(String(revision));
      await button(page, "Compare with now").click();
      await button(page, "Recover 1 key").waitFor();
      const refusal = { status: 403, json: { name: "ConsoleError", message: "not any more" } };
      await page.route("**/api/recover", (route) => route.fulfill(refusal));
      const again = page.waitForResponse(/api\/past/);
      await button(page, "Recover 1 key").click();
      await (await again).finished();
      await past(page).getByText("1 missing now").waitFor();
      await past(page).getByText("not any more").waitFor();
      await page.unroute("**/api/recover");
      await page.route("**/api/recover", (route) => route.abort());
      await button(page, "Recover 1 key").click();
      await past(page).getByText("The connection was lost").waitFor();
    });

    it("puts back what it can within its directory, and says what it leaves", async () => {
      const dir = top();
      const options = { urls: cluster.urls, api: "v3" } as const;
      const page = await sessionAt(await browser.serve({ write: true, prefix: dir, options }));
      await etcd.setNode(`${dir}/x`, "a file");
      await etcd.setNode(`${dir}/z`, "1");
      await etcd.setNode(`${dir}ical/outside`, "1");
      await tool.put(`${dir}/too-large`, Buffer.alloc(1_572_864 - 60, "a"));
      const revision = await presentRevision();
      for (const each of [dir, `${dir}ical`]) await etcd.deleteNode(each, { recursive: true });
      await etcd.setNode(`${dir}/x/y`, "in a directory");
      const seen = await presentRevision();
      const wanted = { key: "/", revision, seen, temporary: false, replace: [] };
      expect(await page.post("recover", { ...wanted, key: "ical" })).toMatchObject({ status: 400 });
      const { body } = await page.post("recover", wanted);
      expect(body).toMatchObject({ type: "end", created: 1, taken: 0 });
      const left = body.left as readonly { readonly key: string }[];
      expect(left.toSorted((a, b) => a.key.localeCompare(b.key))).toEqual([
        { key: "/too-large", reason: expect.stringContaining("too large") },
        { key: "/x", reason: "it is a directory now" },
      ]);
    });

    it("compares a directory whose values are too large for one response", async () => {
      const dir = top();
      for (let at = 100; at < 140; at++) await tool.put(`${dir}/${at}`, bytes(0x61));
      for (let at = 140; at < 180; at++) await tool.put(`${dir}/${at}`, Buffer.alloc(6_000, "a"));
      const revision = await presentRevision();
      await etcd.deleteNode(dir, { recursive: true });
      const options = { urls: cluster.urls, api: "v3", maxResponseSize: 65_536 } as const;
      const page = await sessionAt(await browser.serve({ options }));
      const { body } = await page.get(`past?key=${dir}&revision=${revision}`);
      expect(body).toMatchObject({ keys: 80, missing: { length: 80 } });
    });

    it("serves few requests for the past at a time", async () => {
      const page = await sessionAt(console);
      const asked = Array.from({ length: 9 }, () => page.get(`removals?key=${top()}`));
      const statuses = (await Promise.all(asked)).map(({ status }) => status);
      expect(statuses.toSorted()).toEqual([...Array.from({ length: 8 }, () => 200), 429]);
    });

    it("finds the end of a history that fills a message of etcd, and writes nothing to read", async () => {
      const dir = top();
      for (let at = 0; at < 999; at++) await tool.put(`${dir}/key`, bytes(0x61));
      await tool.ask("kv/deleterange", { key: toBase64(`${dir}/key`) });
      const page = await sessionAt(console);
      const before = await presentRevision();
      const removals = await page.get(`removals?key=${dir}`);
      expect(removals.body).toMatchObject({ isComplete: true, removals: [{ keys: 1 }] });
      expect((await page.get("cutover-history")).body).toMatchObject({ steps: [] });
      expect(await presentRevision()).toBe(before);
    });

    it("finds what was deleted in the list of changes and in the directory above", async () => {
      const dir = top();
      await etcd.setNode(`${dir}/config/a`, "1");
      await etcd.setNode(`${dir}/config/b`, "2");
      const page = await browser.open(`${console.url}#/keys${dir}`);
      await page.getByText("live", { exact: true }).waitFor();
      await etcd.deleteNode(`${dir}/config`, { recursive: true });
      await page.goto(`${console.url}#/changes${dir}`);
      await page.getByRole("row", { name: "delete" }).getByRole("link").click();
      await page.getByText("This key does not exist.").waitFor();
      await openRemovals(page);
      const removal = page.getByRole("listitem").filter({ hasText: "2 keys in" });
      await removal.waitFor();
      await page.goto(`${console.url}#/keys${dir}`);
      await page.getByLabel("New key in this directory").waitFor();
      await openRemovals(page);
      expect(await removal.getByRole("link").textContent()).toBe(`${dir}/config`);
      await removal.getByRole("button").click();
      await button(page, "Recover 2 keys").click();
      await past(page).getByText("2 keys created.").waitFor();
      expect([await textOf(`${dir}/config/a`), await textOf(`${dir}/config/b`)]).toEqual([
        "1",
        "2",
      ]);
    });

    it("searches below a hidden key, and drops a directory whose keys others have deleted", async () => {
      const dir = top();
      await tool.put(`${dir}/_secret/plan`, "needle");
      await tool.put(`${dir}/implied/key`, "1");
      const page = await browser.open(`${console.url}#/keys${dir}`);
      await row(page, "implied/").waitFor();
      await tool.delPrefix(`${dir}/implied/`);
      await row(page, "implied/").click();
      await row(page, "implied/").waitFor({ state: "detached" });
      expect(await page.locator(".tree").textContent()).not.toContain("Key not found");
      await page.goto(`${console.url}#/search${dir}/_secret?text=needle`);
      await page.getByText("1 match; 1 key in 1 directory read. Complete.").waitFor();
    });

    it("says what etcd has compacted, also meanwhile", async () => {
      const dir = top();
      await etcd.setNode(`${dir}/a`, "old");
      await etcd.setNode(`${dir}/b`, "old");
      const compacted = await compact();
      await etcd.deleteNode(dir, { recursive: true });
      const page = await browser.open(`${console.url}#/keys${dir}/a`);
      await page.getByText("History").click();
      const notice = `etcd has compacted the revisions before ${compacted}.`;
      await page.getByText(notice).waitFor();
      expect(await page.locator(".entries > li summary").allTextContents()).toEqual([
        expect.stringMatching(/^Revision \d+ deleted$/),
      ]);
      await page.goto(`${console.url}#/keys${dir}`);
      await openRemovals(page);
      await page.getByText(notice).waitFor();
      await page.getByRole("button", { name: /^Compare with now: revision/ }).click();
      await button(page, "Recover 2 keys").waitFor();
      await etcd.setNode(`${dir}/other`, "1");
      await compact();
      await button(page, "Recover 2 keys").click();
      await past(page)
        .getByText(/^etcd has compacted revision \d+: it is gone$/)
        .waitFor();
      expect(await textOf(`${dir}/a`)).toBe(null);
    });

    it("shows bytes that are no text, and replaces them only after a confirmation", async () => {
      const key = `${top()}/key`;
      await tool.put(key, bytes(0x61, 0xff, 0xfe));
      const page = await browser.open(`${console.url}#/keys${key}`);
      await page.getByLabel("Bytes of the value").getByText("61 FF FE").waitFor();
      await page.getByText("3 bytes").waitFor();
      await button(page, "Edit it as a text …").click();
      await button(page, "Keep the bytes").click();
      await button(page, "Edit it as a text …").click();
      await button(page, "Edit the text").click();
      await editor(page).press("Control+End");
      await page.keyboard.type("!");
      expect(await bytesOf(key)).toEqual(bytes(0x61, 0xff, 0xfe));
      await button(page, "Review changes").click();
      await button(page, "Save").click();
      await page.getByText("Saved.").waitFor();
      expect(await textOf(key)).toBe("a\ufffd\ufffd!");
      // Nor does the history put them back.
      await page.getByText("History").click();
      const entries = page.locator(".entries > li");
      await entries.nth(1).locator("summary").click();
      await entries.nth(1).getByText("Only etcdctl can put them back.").waitFor();
      expect(await entries.getByRole("button").count()).toBe(0);
      // A character that is U+FFFD itself is a text.
      await page.reload();
      await button(page, "Edit it as a text").click();
      await editor(page).waitFor();
    });
  });

  const PASSWORD = "correct horse";
  const signIn = async (page: Page, user: string, password: string): Promise<void> => {
    const form = page.locator("form.sign-in");
    await form.getByLabel("User").fill(user);
    await form.getByLabel("Password").fill(password);
    await form.getByRole("button", { name: "Sign in" }).click();
  };
  /** All that a browser keeps or shows to others. */
  const traces = (page: Page): Promise<string> =>
    page.evaluate(
      "location.href + JSON.stringify([sessionStorage, localStorage, document.cookie, history.state])",
    );

  describeWithEtcd("3.7", "on etcd 3.7 with auth", () => {
    let cluster: EtcdCluster;
    beforeAll(async () => {
      cluster = await startEtcd({ release: "3.7", args: ["--unsafe-no-fsync"] });
      const tool = new V3Tool(cluster.urls);
      for (const [key, value] of Object.entries({ "/app/sub/b": "2", "/other/x": "3" })) {
        await tool.put(key, value);
      }
      for (const user of ["root", "ann"]) {
        await tool.ask("auth/user/add", { name: user, password: PASSWORD });
        await tool.ask("auth/role/add", { name: user });
        await tool.ask("auth/user/grant", { user, role: user });
      }
      // What docs/v3.md names for an application, to read only.
      for (const [from, to] of [
        ["/app", "/app0"],
        ["\0etcdnet/", "\0etcdnet/offset\0"],
      ] as const) {
        const range = { key: toBase64(from), range_end: toBase64(to) };
        await tool.ask("auth/role/grant", { name: "ann", perm: { permType: "READ", ...range } });
      }
      await tool.ask("auth/enable", {});
    });
    afterAll(async () => {
      await cluster?.stop();
    });

    it("shows a user what it may read, and keeps its text when the console starts again", async () => {
      const access = { write: true, options: { urls: cluster.urls, api: "v3" } } as const;
      const first = await browser.serve(access);
      const { url } = first;
      const page = await browser.open(url);
      const requested: string[] = [];
      page.on("request", (request) => requested.push(request.url()));
      await page.getByText("etcd wants a user.").waitFor();
      await button(page, "Sign in as a user of etcd").click();
      await signIn(page, "ann", "wrong");
      await page.getByText("etcd refuses this user and password").waitFor();
      expect(await page.getByRole("button", { name: "Sign out" }).count()).toBe(0);
      await signIn(page, "ann", PASSWORD);
      await button(page, "Sign out ann").waitFor();
      await page.getByText("permission denied").first().waitFor();
      // By its address, below a directory that she may not read.
      await page.goto(`${url}#/keys/app/sub/b`);
      await editor(page).getByText("2").waitFor();
      await row(page, "sub/").waitFor();
      await page.goto(`${url}#/keys/other/x`);
      await page.getByText("The user ann may not read the key.").waitFor();
      await page.goto(`${url}#/keys/app/sub/b`);
      await editor(page).press("Control+End");
      await page.keyboard.type("!");
      await button(page, "Review changes").click();
      await button(page, "Save").click();
      await page.getByText(/^Not saved\. .*permission denied/).waitFor();
      await first.close();
      await browser.serve({ ...access, port: Number(new URL(url).port) });
      await button(page, "Read it again").click();
      await page.getByText("The session of ann has ended.", { exact: false }).waitFor();
      await signIn(page, "ann", PASSWORD);
      await editor(page).getByText("2!").waitFor();
      await row(page, "sub/").waitFor();
      expect(await traces(page)).not.toContain(PASSWORD);
      expect(requested.join()).not.toContain(encodeURIComponent(PASSWORD).slice(0, 7));
      await button(page, "Sign out ann and discard what is not saved").click();
      await page.getByText("etcd wants a user.").waitFor();
      expect(await page.locator(".tree .name, .editor").count()).toBe(0);
    });
  });

  it("lets users of v2 auth sign in, and says what a refusal can mean", async () => {
    await using server = await startEmbeddedEtcd({ rootPassword: PASSWORD });
    await using root = new EtcdClient({
      ...{ endpoints: server.url, username: "root", password: PASSWORD },
    });
    await root.setNode("/app/a", "1");
    await root.auth.roles.create("reader", { read: ["/app", "/app/*"] });
    await root.auth.users.create("bob", { password: PASSWORD, roles: ["reader"] });
    const { url } = await browser.serve({ options: { endpoints: server.url } });
    const page = await browser.open(`${url}#/keys/app/a`);
    await button(page, "Sign in as a user of etcd").click();
    await signIn(page, "bob", "wrong");
    await page
      .getByText("The password of bob is wrong, or this user may not read the key.")
      .waitFor();
    await button(page, "Sign out bob").click();
    await button(page, "Sign in as a user of etcd").click();
    await signIn(page, "bob", PASSWORD);
    await editor(page).getByText("1").waitFor();
    await row(page, "app/").waitFor();
    await button(page, "Sign out bob").click();
    await button(page, "Sign in as a user of etcd").click();
    await signIn(page, "root", PASSWORD);
    await page.getByText("live", { exact: true }).waitFor();
    await editor(page).getByText("1").waitFor();
  });
});
