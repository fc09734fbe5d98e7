import { expect, it } from "vitest";
import type { Missing } from "./install.js";

/** A test that needs a client: where it is missing, a line says why; with CI=true the test fails. */
export function itWith<Client>(
  client: Client | Missing,
  name: string,
  test: (client: Client) => Promise<void>,
): void {
  if (isMissing(client)) reportMissing(name, client);
  else it(name, () => test(client));
}

export function isMissing<Client>(client: Client | Missing): client is Missing {
  return typeof client === "object" && client !== null && "missing" in client;
}

export function reportMissing(name: string, { missing }: Missing): void {
  if (process.env.CI === "true") {
    it(name, () => expect.fail(missing));
    return;
  }
  skipVisibly(name, missing);
}

/** Skips a test, with a line that says why. */
export function skipVisibly(name: string, reason: string): void {
  console.warn(`skipped "${name}": ${reason}`);
  it.skip(name, () => {});
}
