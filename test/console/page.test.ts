/** The page of the console in Chromium, on etcd 3.7, on the embedded server, and on a memory key space. */

import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ConsoleOptions, ConsoleServer } from "../../src/console/console-server.js";
import { openTarget } from "../../src/cutover/open-target.js";
import { EtcdClient } from "../../src/index.js";
import { MemoryKeySpace } from "../../src/key-space/memory/memory-key-space.js";
import { type EmbeddedEtcd, startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import {
  describeInBrowser,
  expectAccessible,
  PATIENCE_MS,
  picture,
  useBrowser,
} from "./browser.js";

/** The name of a key, or of a directory with its slash. */
const exactly = (key: string): RegExp => new RegExp(`^${key.replace(/[^\w]/g, "\\$&")}/?$`);

describeInBrowser("the page of the console", () => {
  const { serve, openLive: open } = useBrowser();
  let etcd: EmbeddedEtcd;
  let client: EtcdClient;
  let served: ConsoleServer;
  let name = 0;

  beforeAll(async () => {
    etcd = await startEmbeddedEtcd();
    client = new EtcdClient({ endpoints: etcd.url });
    served = await start({ write: true });
  });
  afterAll(async () => {
    await client?.close();
    await etcd?.close();
  });

  const start = (options: Partial<ConsoleOptions> = {}) =>
    serve({ options: { endpoints: etcd.url }, ...options });

  /** A directory for each test. */
  const top = (): string => `/t${++name}`;
  const row = (page: Page, key: string) =>
    page.getByRole("treeitem").filter({ has: page.locator(".name", { hasText: exactly(key) }) });
  const changedRow = (page: Page, key: string) =>
    row(page, key).filter({ has: page.getByTitle("changed since the page was opened") });
  const editor = (page: Page) => page.getByRole("textbox", { name: /^Value of/ });
  /** Replaces the text of the editor, as a user does who pastes. */
  const write = async (page: Page, text: string): Promise<void> => {
    await editor(page).press("Control+a");
    await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
    await page.keyboard.press("Control+v");
  };
  const button = (page: Page, label: string) =>
    page.getByRole("button", { name: label, exact: true });
  const soon = (read: () => Promise<unknown>) => expect.poll(read, { timeout: PATIENCE_MS });

  it("opens the tree level by level, and shows changes as they happen", async () => {
    const dir = top();
    await client.setNode(`${dir}/a/deep/key`, "1");
    const page = await open(`${served.url}#/keys${dir}`);
    await row(page, "a").click();
    await row(page, "deep").click();
    await row(page, "key").waitFor();
    await client.setNode(`${dir}/a/deep/key`, "2");
    await changedRow(page, "key").getByText("2").waitFor();
    // A write creates directories, and etcd sends no event for them.
    await client.setNode(`${dir}/a/new/below/x`, "1");
    await changedRow(page, "new").waitFor();
    await client.deleteNode(`${dir}/a`, { recursive: true });
    await row(page, "deep").waitFor({ state: "detached" });
    expect(await row(page, "key").count()).toBe(0);
  });

  it("counts TTLs down, notices refreshes, and shows hidden keys by their names", async () => {
    const dir = top();
    await client.setNode(`${dir}/ends`, "1", { ttl: 10 });
    await client.setNode(`${dir}/_hidden/key`, "secret plan");
    const page = await open(`${served.url}#/keys${dir}/ends`);
    await row(page, "ends").getByTitle("time to live").waitFor();
    // etcd sends no event for a refresh.
    await client.refreshNode(`${dir}/ends`, 3_000);
    await page
      .getByTitle("time to live")
      .first()
      .getByText(/4\d:\d\d/)
      .waitFor();
    expect(await page.getByText("_hidden").count()).toBe(0);
    await page.keyboard.press("g");
    await page.keyboard.type(`${dir}/_hidden/key`);
    await page.keyboard.press("Enter");
    await editor(page).getByText("secret plan").waitFor();
  });

  it("shows hostile keys and values as text", async () => {
    const dir = top();
    const html = "<img src=x onerror=alert(1)>";
    await client.setNode(`${dir}/${html}`, `<script>alert(2)</script>${html}`);
    await client.setNode(`${dir}/bidi\u202etxt.exe`, "a\u0007b\ufffd");
    await client.setNode(`${dir}/constructor`, '{"__proto__": 1}');
    const page = await open(`${served.url}#/keys${dir}`);
    await row(page, html).click();
    await editor(page).getByText("<script>alert(2)</script>").waitFor();
    expect(await page.locator("img, #page script").count()).toBe(0);
    expect(await page.locator("h2").textContent()).toContain(html);
    const bidi = row(page, "bidiU+202Etxt.exe");
    expect(await bidi.textContent()).not.toContain("\u202e");
    expect(await bidi.getByTitle("right-to-left override").textContent()).toBe("U+202E");
    await bidi.click();
    await page.getByText("Binary value.").waitFor();
    await page.getByLabel("Bytes of the value").getByText("61 07 62 EF BF BD").waitFor();
    await row(page, "constructor").click();
    await editor(page).getByText("__proto__").waitFor();
  });

  it("saves after a review of the difference, and checks JSON and YAML", async () => {
    const dir = top();
    await client.setNode(`${dir}/app.json`, '{\n  "a": 1,\n  "b": 2\n}');
    await client.setNode(`${dir}/crlf`, "one\r\ntwo");
    const page = await open(`${served.url}#/keys${dir}/app.json`);
    await page.getByText("valid JSON").waitFor();
    await write(page, '{\n  "a": 1,\n  "b": \n}');
    await page.getByText(/^Line 4: /).waitFor();
    await write(page, '{\n  "a": 1,\n  "b": 3\n}');
    await page.getByText("valid JSON").waitFor();
    await editor(page).press("Control+s");
    const diff = page.getByRole("table", { name: "Your changes" });
    expect(await diff.locator(".removed").textContent()).toContain('"b": 2');
    expect(await diff.locator(".added").textContent()).toContain('"b": 3');
    await button(page, "Save").click();
    await page.getByText("Saved.").waitFor();
    expect(await client.getNodeValue(`${dir}/app.json`)).toBe('{\n  "a": 1,\n  "b": 3\n}');
    await page.getByLabel("Format").selectOption("yaml");
    await page.getByText("valid YAML").waitFor();
    await row(page, "crlf").click();
    await editor(page).getByText("one").waitFor();
    await editor(page).press("Control+End");
    await page.keyboard.type("!");
    await button(page, "Review changes").click();
    await button(page, "Save").click();
    await soon(() => client.getNodeValue(`${dir}/crlf`)).toBe("one\r\ntwo!");
  });

  it("overwrites no change of others, and loses no text", async () => {
    const dir = top();
    await client.setNode(`${dir}/a`, "old");
    const page = await open(`${served.url}#/keys${dir}/a`);
    await write(page, "mine");
    await button(page, "Review changes").click();
    await client.setNode(`${dir}/a`, "theirs");
    const theirs = page.getByRole("table", { name: "What has changed in etcd" });
    await theirs.getByText("theirs").waitFor();
    expect(await button(page, "Save").count()).toBe(0);
    // Another key meanwhile.
    await client.setNode(`${dir}/b`, "1");
    await row(page, "b").click();
    await editor(page).getByText("1").waitFor();
    await page.getByText("1 text not saved").waitFor();
    await row(page, "a").click();
    await editor(page).getByText("mine").waitFor();
    await button(page, "Compare my text with the new value").click();
    await button(page, "Review changes").click();
    const diff = page.getByRole("table", { name: "Your changes" });
    await diff.getByText("theirs").waitFor();
    await button(page, "Save").click();
    await page.getByText("Saved.").waitFor();
    expect(await client.getNodeValue(`${dir}/a`)).toBe("mine");
  });

  it("says so when the change of another arrives at etcd first", async () => {
    const dir = top();
    await client.setNode(`${dir}/a`, "old");
    const page = await open(`${served.url}#/keys${dir}/a`);
    await write(page, "mine");
    await button(page, "Review changes").click();
    // Between the click and the write.
    await page.route("**/api/save", async (route) => {
      await client.setNode(`${dir}/a`, "theirs");
      await route.continue();
    });
    await button(page, "Save").click();
    await page.getByText("Not saved: the key has changed meanwhile.").waitFor();
    await editor(page).getByText("mine").waitFor();
    expect(await client.getNodeValue(`${dir}/a`)).toBe("theirs");
  });

  it("creates and deletes keys and directories, after a confirmation", async () => {
    const dir = top();
    await client.setNode(`${dir}/a`, "1");
    const page = await open(`${served.url}#/keys${dir}`);
    await page.getByLabel("New key in this directory").fill("x/é");
    await button(page, "New key").click();
    await write(page, "wert");
    await button(page, "Review changes").click();
    await button(page, "Create").click();
    await soon(() => client.getNodeValue(`${dir}/x/é`, { ignoreKeyNotFound: true })).toBe("wert");
    await button(page, "Delete …").click();
    await button(page, "Delete").click();
    await page.getByText("This key does not exist.").waitFor();
    await page.goto(`${served.url}#/keys${dir}`);
    await page.getByRole("button", { name: "Delete …" }).click();
    await button(page, "Keep").click();
    expect(await client.getNodeValue(`${dir}/a`)).toBe("1");
    await button(page, "Delete …").click();
    await button(page, "Delete").click();
    await page.getByText("This key does not exist.").waitFor();
  });

  it("opens a hidden directory that was asked for by name", async () => {
    const dir = top();
    await client.setNode(`${dir}/_hidden/key`, "1");
    const page = await open(`${served.url}#/keys${dir}/_hidden/key`);
    await row(page, "key").waitFor();
    await page.getByText("this key is hidden", { exact: false }).waitFor();
  });

  it("offers no change in a console without --write", async () => {
    const dir = top();
    await client.setNode(`${dir}/a`, "1");
    const page = await open(`${(await start()).url}#/keys${dir}/a`);
    await page.getByText("read-only", { exact: true }).waitFor();
    await editor(page).waitFor();
    expect(await editor(page).getAttribute("aria-readonly")).toBe("true");
    expect(await page.getByRole("button", { name: /Review|Delete|New/ }).count()).toBe(0);
  });

  it("stays small with 100,000 keys in a directory, and shows each of them", async () => {
    const keySpace = new MemoryKeySpace();
    const nameOf = (at: number): string => `key-${String(at).padStart(6, "0")}`;
    for (let at = 0; at < 100_000; at++) {
      await keySpace.execute({ action: "create", key: `/many/${nameOf(at)}`, value: "v" });
    }
    const page = await open((await start({ options: { keySpace } })).url);
    await row(page, "many").click();
    await row(page, nameOf(0)).waitFor();
    const tree = page.getByRole("tree");
    await tree.focus();
    await tree.press("End");
    await row(page, nameOf(99_999)).waitFor();
    expect(await row(page, nameOf(99_999)).getAttribute("aria-posinset")).toBe("100000");
    expect(await page.getByRole("treeitem").count()).toBeLessThan(100);
    await keySpace.execute({ action: "set", key: `/many/${nameOf(99_999)}x`, value: "new" });
    await tree.press("End");
    await row(page, `${nameOf(99_999)}x`).waitFor();
    // A shared address leads to a key far down.
    await page.goto(`${page.url().split("#")[0]}#/keys/many/${nameOf(50_000)}`);
    await row(page, nameOf(50_000)).waitFor();
    // Between two keys that are not in sight.
    await keySpace.execute({ action: "set", key: `/many/${nameOf(50_000)}a`, value: "new" });
    await row(page, `${nameOf(50_000)}a`).waitFor();
    expect(await page.getByRole("treeitem").count()).toBeLessThan(100);
  });

  it("searches the whole tree, says how far it has got, and has the search in its address", async () => {
    const dir = top();
    await client.setNode(`${dir}/a/b/c/Needle`, "x");
    await client.setNode(`${dir}/other`, "one\ntwo has a needle in it\nthree");
    await client.setNode(`${dir}/none`, "hay");
    const page = await open(served.url);
    await page.keyboard.press("/");
    await page.getByRole("searchbox", { name: "Text" }).fill("needle");
    await page.getByLabel("Below").fill(dir);
    await page.keyboard.press("Enter");
    await page.getByText("2 matches; 6 keys in 4 directories read. Complete.").waitFor();
    const found = page.locator(".matches li");
    expect(await found.allTextContents()).toEqual([
      `${dir}/other2two has a needle in it`,
      `${dir}/a/b/c/Needle`,
    ]);
    await page.getByLabel("Match case").check();
    await page.getByRole("search").getByRole("combobox").selectOption("keys");
    await button(page, "Search").click();
    await page.getByText("0 matches; 6 keys in 4 directories read. Complete.").waitFor();
    await page.goBack();
    await page.getByText("2 matches;").waitFor();
    await page.reload();
    await page.getByText("2 matches;").waitFor();
    await found.first().getByRole("link").click();
    await editor(page).getByText("two has a needle in it").waitFor();
  });

  it("follows the changes below a key: filtered, paused and saved to a file", async () => {
    const dir = top();
    const page = await open(`${served.url}#/keys`);
    await page.goto(`${served.url}#/changes${dir}`);
    await page.getByText("0 changes since").waitFor();
    await client.setNode(`${dir}/a`, "first");
    await client.setNode(`/elsewhere`, "x");
    await client.deleteNode(`${dir}/a`);
    await page.getByText("2 changes since").waitFor();
    await page.getByLabel("Action").selectOption("set");
    await page.getByText("1 change since").waitFor();
    await button(page, "Pause").click();
    await client.setNode(`${dir}/b`, "second");
    await page.getByText("paused, 1 more have arrived").waitFor();
    expect(await page.locator("tbody tr").count()).toBe(1);
    await button(page, "Continue").click();
    await page.getByText("2 changes since").waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      button(page, "Export").click(),
    ]);
    const lines = (await readFile(await download.path(), "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ action: "set", key: `${dir}/a`, value: "first" }),
      expect.objectContaining({ action: "set", key: `${dir}/b`, value: "second" }),
    ]);
  });

  it("says that changes were missed, and then shows the present state", async () => {
    const dir = top();
    await client.setNode(`${dir}/a`, "1");
    const first = await start();
    const page = await open(`${first.url}#/keys${dir}`);
    await row(page, "a").waitFor();
    const { url } = first;
    await first.close();
    await page.getByText("console unreachable").waitFor();
    // More than etcd keeps.
    for (let at = 0; at < 1_100; at++) await client.setNode("/elsewhere", String(at));
    await client.setNode(`${dir}/missed`, "1");
    await client.deleteNode(`${dir}/a`);
    for (let at = 0; at < 1_100; at++) await client.setNode("/elsewhere", String(at));
    await start({ port: Number(new URL(url).port) });
    await page.getByText("Changes were missed", { exact: false }).waitFor();
    await row(page, "missed").waitFor();
    await row(page, "a").waitFor({ state: "detached" });
  });

  it("can be used with the keyboard alone", async () => {
    const dir = top();
    await client.setNode(`${dir}/dir/key`, "old");
    const page = await open(served.url);
    const tree = page.getByRole("tree");
    for (
      let tabs = 0;
      !(await page.evaluate<boolean>("document.activeElement.role === 'tree'"));
      tabs++
    ) {
      expect(tabs).toBeLessThan(20);
      await page.keyboard.press("Tab");
    }
    const active = async () => {
      const id = (await tree.getAttribute("aria-activedescendant")) ?? "none";
      return await page.locator(`#${id} .name`).textContent();
    };
    for (const wanted of [`${dir.slice(1)}/`, "dir/", "key"]) {
      for (let moves = 0; (await active()) !== wanted; moves++) {
        expect(moves).toBeLessThan(50);
        await page.keyboard.press("ArrowDown");
      }
      await page.keyboard.press(wanted === "key" ? "Enter" : "ArrowRight");
      if (wanted !== "key") await row(page, wanted === "dir/" ? "key" : "dir").waitFor();
    }
    await editor(page).getByText("old").waitFor();
    await editor(page).focus();
    await page.keyboard.type("very ");
    await page.keyboard.press("Control+s");
    await page.getByRole("table", { name: "Your changes" }).waitFor();
    await button(page, "Save").press("Enter");
    await soon(() => client.getNodeValue(`${dir}/dir/key`)).toBe("very old");
    await tree.focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    await row(page, "key").waitFor({ state: "detached" });
    await page.keyboard.press("?");
    await page.getByRole("region", { name: "Keyboard shortcuts" }).waitFor();
  });

  it("has no known fault of accessibility", async () => {
    const dir = top();
    await client.setNode(`${dir}/a`, '{ "a": [1, true, "x"] }');
    await client.setNode(`${dir}/b\u202e`, "a\u0000b", { ttl: 1_000 });
    // axe is a script that the policy of the page refuses.
    const page = await open(`${served.url}#/keys${dir}`, { bypassCSP: true });
    const check = (what: string) => expectAccessible(page, what);
    await page.getByText("2 children").waitFor();
    await page.locator('.row[aria-level="2"]').nth(1).waitFor({ state: "attached" });
    await check("directory");
    await page.goto(`${served.url}#/keys${dir}/a`);
    await write(page, '{ "a": 1, }');
    await page.getByText(/^Line 1: /).waitFor();
    await check("invalid JSON");
    await button(page, "Review changes").click();
    await page.getByRole("table", { name: "Your changes" }).waitFor();
    await check("review");
    await button(page, "Back to the editor").click();
    await button(page, "Discard").click();
    await button(page, "Delete …").click();
    await check("confirmation");
    await page.goto(`${served.url}#/keys${dir}/b%E2%80%AE`);
    await page.getByText("Binary value.").waitFor();
    await check("binary value");
    await page.goto(`${served.url}#/keys${dir}/absent`);
    await page.getByText("This key does not exist.").waitFor();
    await check("absent key");
    await page.goto(`${served.url}#/search${dir}?text=a`);
    await page.getByText("Complete.").waitFor();
    await check("search");
    await page.goto(`${served.url}#/changes${dir}`);
    await client.setNode(`${dir}/c`, "1");
    await page.getByText("1 change since").waitFor();
    await check("changes");
    await page.goto(`${served.url}#/cluster`);
    await page.getByRole("region", { name: "Table of members" }).waitFor();
    await check("cluster");
    await page.goto(`${served.url}#/keys${dir}/c`);
    await page.getByText("History").click();
    await page.getByText("index", { exact: false }).last().waitFor();
    await check("history");
    await button(page, "Sign in").click();
    await page.getByLabel("Password").waitFor();
    await check("signing in");
  });

  it("shows the members, their health and versions", async () => {
    const page = await open(`${served.url}#/cluster`);
    const members = page.getByRole("region", { name: "Table of members" });
    await members.getByText("leader").waitFor();
    await members.getByText(etcd.url).first().waitFor();
    const endpoints = page.getByRole("region", { name: "Table of endpoints" });
    await endpoints.getByText("healthy", { exact: true }).waitFor();
    await endpoints.getByText((await client.version()).etcdserver).waitFor();
  });

  it("shows the holder and the waiting line of a lock, and registered instances", async () => {
    const dir = top();
    const held = await client.lock(`${dir}/lock`).acquire({ data: "worker one" });
    const second = client.lock(`${dir}/lock`).acquire({ data: "worker two" });
    await soon(async () => (await client.getNode(`${dir}/lock`)).node.nodes?.length).toBe(2);
    const metadata = { zone: "north" };
    const instance = await client.registry(dir).register("web", { id: "a", metadata });
    const page = await open(`${served.url}#/keys${dir}/lock`);
    const rows = page.getByRole("region", { name: "Participants" }).locator("tbody tr");
    await rows.nth(1).waitFor();
    await rows.nth(0).getByText("worker one").waitFor();
    await rows.nth(0).getByText(String(held.fencingToken)).first().waitFor();
    await rows.nth(1).getByText("worker two").waitFor();
    await held.release();
    await rows.nth(0).getByText("worker two").waitFor();
    await page.goto(`${served.url}#/keys${dir}/web`);
    await rows.nth(0).getByText('{"zone":"north"}').waitFor();
    await (await second).release();
    await instance.close();
    await page.goto(`${served.url}#/keys${dir}`);
    await page.getByText("2 children").waitFor();
    expect(await rows.count()).toBe(0);
  });

  it("shows what a key was since the page was opened, on v2", async () => {
    const dir = top();
    await client.setNode(`${dir}/a`, "one");
    const page = await open(`${served.url}#/keys${dir}/a`);
    await editor(page).getByText("one").waitFor();
    await client.setNode(`${dir}/a`, "two");
    await editor(page).getByText("two").waitFor();
    await page.getByText("History").click();
    await page.getByText("etcd v2 keeps no past values", { exact: false }).waitFor();
    await button(page, "Put back Before").click();
    await editor(page).getByText("one").waitFor();
    expect(await client.getNodeValue(`${dir}/a`)).toBe("two");
  });

  describeWithEtcd("3.7", "on etcd 3.7", () => {
    let cluster: EtcdCluster;
    let v3: EtcdClient;
    let console: ConsoleServer;
    beforeAll(async () => {
      cluster = await startEtcd({ release: "3.7", args: ["--unsafe-no-fsync"] });
      v3 = new EtcdClient({ urls: cluster.urls, api: "v3" });
      console = await start({ write: true, options: { urls: cluster.urls, api: "v3" } });
    });
    afterAll(async () => {
      await v3?.close();
      await cluster?.stop();
    });

    it("shows every value that a key has had, and puts one back, also of a deleted key", async () => {
      const dir = top();
      await v3.setNode(`${dir}/a`, "one");
      await v3.deleteNode(`${dir}/a`);
      await v3.setNode(`${dir}/a`, "two");
      await v3.setNode(`${dir}/a`, "three");
      const page = await open(`${console.url}#/keys${dir}/a`);
      await page.getByText("History").click();
      const entries = page.locator(".entries > li");
      await entries.nth(3).waitFor();
      expect(await entries.locator("> details > summary .badge").allTextContents()).toEqual([
        "present value",
        "deleted",
      ]);
      await entries.first().locator("summary").click();
      const diff = entries.first().getByRole("table");
      expect(await diff.locator(".removed .text").textContent()).toBe("two");
      expect(await diff.locator(".added .text").textContent()).toBe("three");
      await entries.last().getByRole("button").click();
      await button(page, "Review changes").click();
      await button(page, "Save").click();
      await soon(() => v3.getNodeValue(`${dir}/a`)).toBe("one");
      await v3.deleteNode(`${dir}/a`);
      await page.getByText("This key does not exist.").waitFor();
      await entries.nth(5).waitFor();
      await entries.nth(2).getByRole("button").click();
      await button(page, "Review changes").click();
      await button(page, "Create").click();
      await soon(() => v3.getNodeValue(`${dir}/a`, { ignoreKeyNotFound: true })).toBe("three");
    });

    it("shows the state of a cut-over", async () => {
      await using target = openTarget({ urls: cluster.urls });
      const gateway = {
        ...{ host: "host 1", url: "http://gateway:4001", acknowledged: 0, clusterId: "" },
        ...{ hidden: [], givenTtls: [], problem: "clients use a hidden key" },
      };
      await target.records.register("1", gateway, 600, {});
      const page = await open(`${console.url}#/cluster`);
      const section = page.getByRole("region", { name: "Cut-over" });
      await section.getByText("The cut-over has not begun.").waitFor();
      await section.getByText("http://gateway:4001: clients use a hidden key").waitFor();
    });

    it("shows versions and the size of the database", async () => {
      const page = await open(`${console.url}#/cluster`);
      const endpoints = page.getByRole("region", { name: "Table of endpoints" });
      await endpoints.getByText(/^3\.7\.\d+$/).waitFor();
      await endpoints.getByText(/MiB in use$/).waitFor();
    });

    it("says that etcd is away, keeps the text, and saves it when etcd is back", async () => {
      const dir = top();
      await v3.setNode(`${dir}/a`, "old");
      const page = await open(`${console.url}#/keys${dir}/a`);
      await write(page, "mine");
      await cluster.members[0].kill();
      await page.getByText("etcd unreachable").waitFor();
      await page.getByText("Your text stays here.").first().waitFor();
      await button(page, "Review changes").click();
      await cluster.members[0].start();
      await page.getByText("live", { exact: true }).waitFor();
      await editor(page).getByText("mine").waitFor();
      await button(page, "Save").click();
      await soon(() => v3.getNodeValue(`${dir}/a`)).toBe("mine");
      // Changes arrive again.
      await v3.setNode(`${dir}/b`, "1");
      await row(page, "b").waitFor();
    });
  });

  // `npm run screenshots`
  it.runIf(process.env.ETCDNET_SCREENSHOTS)("has its pictures in the documentation", async () => {
    const server = await startEmbeddedEtcd();
    await using shop = new EtcdClient({ endpoints: server.url });
    const app = { name: "shop", replicas: 3, features: ["search", "cart"], limits: { cpu: "2" } };
    const text = (value: object): string => JSON.stringify(value, null, 2);
    await shop.setNode("/config/app.json", text(app));
    await shop.setNode("/config/deploy.yaml", "service: shop\nports:\n  - 8080\n");
    await shop.setNode("/config/mail/host", "smtp.example.org");
    await shop.setNode("/config/mail/port", "587");
    await shop.setNode("/config/motd", "Good evening");
    for (const host of ["10.0.0.1:8080", "10.0.0.2:8080"]) {
      await shop.setNode(`/services/web/${host}`, '{"zone":"a"}', { ttl: 300 });
    }
    await shop.setNode("/untrusted/<img src=x onerror=alert(1)>", "<script>alert(1)</script>");
    await shop.setNode("/untrusted/invoice\u202efdp.exe", "\u202e");
    const { url } = await start({ write: true, options: { endpoints: server.url } });
    const sizes = { desktop: { width: 1100, height: 640 }, phone: { width: 390, height: 700 } };
    const page = await open(`${url}#/keys/config/app.json`, { viewport: sizes.desktop });
    await editor(page).waitFor();
    await row(page, "services").click();
    await row(page, "web").click();
    await row(page, "untrusted").click();
    await row(page, "app.json").click();
    await shop.setNode("/config/new", "just written");
    await changedRow(page, "new").waitFor();
    await picture(page, "key");
    await write(page, text({ ...app, replicas: 5 }));
    await page.keyboard.press("Control+s");
    await button(page, "Save").waitFor();
    await picture(page, "review");
    const dark = await open(`${url}#/keys/config/app.json`, {
      ...{ viewport: sizes.phone, colorScheme: "dark" },
    });
    await editor(dark).waitFor();
    await picture(dark, "phone");
    await server.close();
  });
});
