import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { describe, expect, it } from "vitest";
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
const PATIENCE_MS = 60_000;

/** A browser, and the consoles that its pages show. */
export class ConsoleBrowser {
  readonly #browser: Browser;
  readonly #consoles: ConsoleServer[] = [];
  #context: BrowserContext | undefined;
  /** What the browser complains about, such as a breach of the Content-Security-Policy. */
  #complaints: string[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async launch(): Promise<ConsoleBrowser> {
    buildIfStale();
    return new ConsoleBrowser(await launchBrowser());
  }

  async serve(options: Pick<ConsoleOptions, "options"> & Partial<ConsoleOptions>) {
    const console = await ConsoleServer.start({
      ...{ host: "127.0.0.1", port: 0, version: "1" },
      page: new URL("../../dist/console/", import.meta.url),
      ...options,
    });
    this.#consoles.push(console);
    return console;
  }

  /** A page of its own for each test. */
  async open(address: string): Promise<Page> {
    this.#context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 } });
    await this.#context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = await this.#context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("pageerror", (error) => this.#complaints.push(error.message));
    page.on("dialog", (dialog) => this.#complaints.push(dialog.message()));
    page.on("console", (message) => {
      // The browser reports each response with an error status and each lost connection.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
        this.#complaints.push(message.text());
      }
    });
    await page.goto(address);
    return page;
  }

  /** Closes the page of a test. @returns what the browser has complained about */
  async closePage(): Promise<readonly string[]> {
    await this.#context?.close();
    this.#context = undefined;
    return this.#complaints.splice(0);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    for (const each of this.#consoles) await each.close();
  }
}
