import { stat } from "node:fs/promises";
import axe, { type AxeResults } from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { findChromium } from "../../scripts/chromium.mjs";
import { buildIfStale } from "../../scripts/project.mjs";
import { type ConsoleOptions, ConsoleServer } from "../../src/console/console-server.js";

/** `describe` for tests in a browser. Without one, they are skipped with a message. With CI=true, they fail. */
export function describeInBrowser(name: string, define: () => void): void {
  if (findChromium() !== undefined) {
    describe(name, define);
    return;
  }
  const reason =
    "Chromium is missing: install it (Debian: apt-get install chromium), or set CHROMIUM";
  if (process.env.CI === "true") {
    it(name, () => expect.fail(reason));
    return;
  }
  console.warn(`skipped "${name}": ${reason}`);
  describe.skip(name, define);
}

export function launchBrowser(): Promise<Browser> {
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: findChromium() ?? "chromium",
    // Chromium refuses its sandbox to root.
    args: isRoot ? ["--no-sandbox"] : [],
  });
}

/** How long a test waits for what must come. The machine may be busy. */
export const PATIENCE_MS = 60_000;

/**
 * A browser for a suite, with a page of its own for each test, of which the browser must not complain, and the consoles that
 * its pages show.
 */
export function useBrowser() {
  let browser: Browser;
  const pages: Page[] = [];
  const consoles: ConsoleServer[] = [];
  /** Such as a breach of the Content-Security-Policy. */
  const complaints: string[] = [];
  beforeAll(async () => {
    buildIfStale();
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    for (const each of consoles) await each.close();
  });
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.context().close();
    expect(complaints.splice(0)).toEqual([]);
  });

  async function serve(
    options: Pick<ConsoleOptions, "options"> & Partial<ConsoleOptions>,
  ): Promise<ConsoleServer> {
    const console = await ConsoleServer.start({
      ...{ host: "127.0.0.1", port: 0, version: "1" },
      page: new URL("../../dist/console/", import.meta.url),
      ...options,
    });
    consoles.push(console);
    return console;
  }

  async function open(address: string, options: BrowserContextOptions = {}): Promise<Page> {
    const viewport = { width: 1280, height: 800 };
    const context = await browser.newContext({ viewport, ...options });
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = await context.newPage();
    pages.push(page);
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("dialog", (dialog) => complaints.push(dialog.message()));
    page.on("console", (message) => {
      // The browser reports each response with an error status and each lost connection.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
        complaints.push(message.text());
      }
    });
    await page.goto(address);
    return page;
  }

  /** Opens a page that etcd informs of changes. */
  async function openLive(address: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await open(address, options);
    await page.getByText("live", { exact: true }).waitFor();
    return page;
  }

  return { serve, open, openLive };
}

/** Sends requests as a page does, in a session of its own. Of an answer of lines, the last one is returned. */
export async function sessionAt({ url }: Pick<ConsoleServer, "url">, credentials: object = {}) {
  const send = async (path: string, body?: object, token = "") => {
    const headers = { "Content-Type": "application/json", "X-Etcdnet-Session": token };
    const method = body === undefined ? "GET" : "POST";
    const sent = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    const response = await fetch(`${url}api/${path}`, sent);
    const line = (await response.text()).trimEnd().split("\n").at(-1) ?? "";
    const answer = JSON.parse(line) as Readonly<Record<string, unknown>>;
    return { status: response.status, body: answer };
  };
  const { token } = (await send("session", credentials)).body as { readonly token?: string };
  return {
    token,
    get: (path: string) => send(path, undefined, token),
    post: (path: string, body: object) => send(path, body, token),
  };
}

/** Checks what a page shows for faults of accessibility, also in dark colours and on a phone. It needs `bypassCSP`, and leaves the page so. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  await page.evaluate(axe.source);
  for (const [colorScheme, width, rules] of [
    ["light", 1280, ALL_RULES],
    ["dark", 390, VISIBLE_RULES],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    // Without selectors, which it cannot make for an element that is replaced meanwhile.
    const options = JSON.stringify({ selectors: false, ...rules });
    const { violations } = await page.evaluate<AxeResults>(`axe.run(${options})`);
    const faults = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
    expect(faults, `${what}, ${colorScheme}`).toEqual([]);
    const isTooWide = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
    expect(isTooWide, `${what}, ${width} pixels wide`).toBe(false);
  }
}

const ALL_RULES = {};
/** Those that colours and sizes decide. */
const VISIBLE_RULES = {
  runOnly: ["color-contrast", "scrollable-region-focusable"],
};

/** Takes a picture for the documentation: `npm run screenshots`. */
export async function picture(page: Page, name: string): Promise<void> {
  const path = new URL(`../../docs/images/console-${name}.png`, import.meta.url).pathname;
  await page.mouse.move(0, 0);
  await page.screenshot({ path, animations: "disabled" });
  expect((await stat(path)).size).toBeLessThan(100_000);
}
