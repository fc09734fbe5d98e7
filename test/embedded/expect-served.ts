import { expect } from "vitest";

/**
 * Expects a server in this process to respond within two seconds of the process's CPU time. Elapsed time would
 * also count what other processes do.
 */
export async function expectServed(url: string): Promise<void> {
  const before = process.cpuUsage();
  const response = await fetch(`${url}/v2/keys/`);
  await response.text();
  const { user, system } = process.cpuUsage(before);
  expect(response.status).toBe(200);
  expect((user + system) / 1_000_000, "seconds of CPU").toBeLessThan(2);
}
