import { type Browser, chromium } from "playwright-core";
import { describe, expect, it } from "vitest";
import { findChromium } from "../../scripts/chromium.mjs";

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
