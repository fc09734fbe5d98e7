/** The site in Chromium, in a folder of its domain. `scripts/docs.mjs --check` builds it and runs these tests. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe, { type AxeResults } from "axe-core";
import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  Locator,
  Page,
} from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { root } from "../../scripts/project.mjs";
import { describeInBrowser, launchBrowser } from "../console/browser.js";
import { deadLinksOf } from "./dead-links.js";
import { serveFolder } from "./static-server.js";

/** Where the built site is. Its base is `/etcdnet/`. */
const folder = join(root, process.env.ETCDNET_SITE ?? "build/checked-site");
const BASE = "/etcdnet/";

/** How long a test waits for what must come. The machine may be busy. */
const PATIENCE_MS = 60_000;

it("has no link and no file that leads nowhere", () => {
  const { dead, checked } = deadLinksOf(folder, BASE);
  expect(checked).toBeGreaterThan(1_000);
  expect(dead).toEqual([]);
});

it("a link that leads nowhere is found", async () => {
  const broken = await mkdtemp(join(tmpdir(), "etcdnet-site-"));
  try {
    await mkdir(join(broken, BASE));
    const links = ["b.html#b", "#a", "b.html#none", "none.html", "/b.html", "https://example.org"];
    const html = links.map((link) => `<a href="${link}">`).join("");
    await writeFile(join(broken, BASE, "a.html"), `<p id="a">${html}<img src="none.svg">`);
    await writeFile(join(broken, BASE, "b.html"), '<p id="b"><a class="x" href="./">');
    const found = deadLinksOf(broken, BASE).dead.map((each) => each.split(": ")[1]);
    expect(found).toEqual(["b.html#none", "none.html", "/b.html", "none.svg", "./"]);
  } finally {
    await rm(broken, { recursive: true });
  }
});

describeInBrowser("the site", () => {
  let browser: Browser;
  let served: Awaited<ReturnType<typeof serveFolder>>;
  let context: BrowserContext | undefined;
  /** Errors of the page, and requests that fail or leave the site. */
  const complaints: string[] = [];

  beforeAll(async () => {
    [browser, served] = await Promise.all([launchBrowser(), serveFolder(folder)]);
  });
  afterAll(async () => {
    await browser?.close();
    served?.close();
  });
  afterEach(async () => {
    await context?.close();
    context = undefined;
    expect(complaints.splice(0)).toEqual([]);
  });

  async function open(name: string, options: BrowserContextOptions = {}): Promise<Page> {
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("response", (response) => {
      if (!response.ok()) complaints.push(`${response.status()} ${response.url()}`);
    });
    page.on("request", (request) => {
      const isOwn = request.url().startsWith(served.url) || request.url().startsWith("data:");
      if (!isOwn) complaints.push(`left the site: ${request.url()}`);
    });
    await page.goto(`${served.url}${BASE}${name}`);
    return page;
  }

  const output = (page: Page): Locator => page.getByRole("log", { name: "The output" });
  const keys = (page: Page): Promise<readonly string[]> =>
    page.getByRole("list", { name: "The keys" }).locator(":scope > *").allTextContents();
  const soon = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: PATIENCE_MS });

  async function expectAccessible(page: Page, what: string): Promise<void> {
    await page.evaluate(axe.source);
    // The button for the search is VitePress's: its name lacks the keys that it shows.
    const { violations } = await page.evaluate<AxeResults>(
      'axe.run({ exclude: ".DocSearch-Button" }, { selectors: false })',
    );
    const faults = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
    expect(faults, what).toEqual([]);
    const isTooWide = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
    expect(isTooWide, what).toBe(false);
  }

  /** Runs every step of a story. Returns what was printed, without the requests. */
  async function tell(page: Page, story: string, eachStep?: () => Promise<void>) {
    await page.getByRole("tab", { name: story }).click();
    const step = page.getByRole("heading", { name: /^\d of \d: / });
    const title = async (): Promise<string | undefined> => (await step.allTextContents())[0];
    for (let shown = await title(); shown !== undefined; shown = await title()) {
      await eachStep?.();
      await page.getByRole("button", { name: "Run this step" }).click();
      await soon(title).not.toBe(shown);
    }
    await page.getByText("The end of the story.").waitFor();
    const lines = (await output(page).textContent())?.trimEnd().split("\n") ?? [];
    return lines.filter((line) => !line.startsWith("  "));
  }

  it("tells the story of the paused holder of a lock, whom the fencing token stops", async () => {
    const page = await open("playground.html");
    const lines = await tell(page, "Story: the paused holder of a lock");
    expect(lines.slice(0, 2)).toEqual([
      "— 1. Process A acquires the lock",
      "A holds the lock, token 4",
    ]);
    expect(lines).toContain("refused: token 4 is too old");
    expect(lines.at(-1)).toBe("the report is by B");
    // Only B's key is left.
    const rows = await keys(page);
    expect(rows.slice(0, 2)).toEqual([
      expect.stringMatching(/^locks\//),
      expect.stringMatching(/^report\//),
    ]);
    expect(rows.slice(2)).toEqual([expect.stringMatching(/^\d+ = "\w+ B".* s left$/)]);
  });

  it("tells the story of the lost connection to its resync", async () => {
    const page = await open("playground.html");
    const lines = await tell(page, "Story: the lost connection");
    expect(lines.filter((line) => !line.startsWith("—"))).toEqual([
      "resync (initial): /config/mode = day",
      "change: set /config/mode = night",
      "nothing was delivered",
      "change: set /config/mode = dawn",
      "change: set /config/mode = noon",
      "nothing was delivered",
      "resync (history-cleared): /config/mode = noon, /config/number = 8",
      "change: set /config/mode = day",
    ]);
    expect(await keys(page)).toEqual([
      expect.stringMatching(/^config\//),
      expect.stringMatching(/^mode = "day"/),
      expect.stringMatching(/^number = "8"/),
    ]);
  });

  it("runs the reader's code, and shows its errors", async () => {
    const page = await open("playground.html");
    const run = async (code?: string): Promise<void> => {
      if (code !== undefined) await page.getByLabel("Code", { exact: true }).fill(code);
      await page.getByRole("button", { name: "Run", exact: true }).click();
    };
    await run();
    await soon(() => output(page).textContent()).toMatch(
      /\/config\/mode day \d+\nTestFailedError /,
    );
    await soon(() => keys(page)).toContainEqual(
      expect.stringMatching(/^session = "ann".* s left$/),
    );
    await run(`await etcd.setNode("/own", "code"); print(await etcd.getNodeValue("/own"));`);
    await soon(() => output(page).textContent()).toBe("code\n");
    await soon(() => keys(page)).toContainEqual(expect.stringMatching(/^own = "code"/));
    await run(`await etcd.getNode("/nothing");`);
    await soon(() => output(page).textContent()).toMatch(/^KeyNotFoundError: .*\/nothing/);
    await run("this is no program");
    await soon(() => output(page).textContent()).toMatch(/^SyntaxError: /);
  });

  it.each([
    ["light", 1280],
    ["dark", 390],
  ] as const)("has no known fault of accessibility: %s, %i pixels wide", async (colours, width) => {
    const viewport = { width, height: 900 };
    const page = await open("playground.html", { colorScheme: colours, viewport });
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await soon(() => keys(page)).toContainEqual(expect.stringMatching(/^mode = /));
    await expectAccessible(page, "the editor");
    let step = 0;
    await tell(page, "Story: the paused holder of a lock", async () => {
      if (++step === 5) await expectAccessible(page, "a step of a story");
    });
    await expectAccessible(page, "the end of a story");
  });

  it("finds a word of a guide, without a request to another site", async () => {
    const page = await open("");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByRole("searchbox").fill("fencing");
    await page.getByRole("option").first().click();
    await page.getByRole("heading", { level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/etcdnet\/[\w-]+\.html$/);
  });
});
