/** Runs gateways and etcd as deployment files configure them, on the addresses of a test. */

import { expect } from "vitest";
import { run } from "../foreign/run.js";
import { Cli, MAIN } from "../support/cli-process.js";

type Environment = Readonly<Record<string, string>>;

/** Where etcd listens and how it finds its members differs in a test. */
const OWN = /URLS$|^ETCD_(?:NAME|DATA_DIR|INITIAL_CLUSTER\w*)$/;

/** These differ in a test, too. */
const ARGUMENTS = ["gateway", "--port", "0", "--host", "127.0.0.1", "--shutdown-delay", "0s"];

/** A line of a log, or of the command line, that reports a problem. */
export const PROBLEM = /^(?:warning|[Ee]rror):|\b(?:WARN|ERROR)\b/m;

/** Variables of etcd as flags: etcd refuses flags that it does not know. */
export function optionsOfEtcd(environment: Environment): readonly string[] {
  return Object.entries(environment)
    .filter(([name]) => !OWN.test(name))
    .map(([name, value]) => {
      const flag = name
        .replace(/^ETCD_/, "")
        .toLowerCase()
        .replaceAll("_", "-");
      return `--${flag}=${value}`;
    });
}

/**
 * Starts a gateway with this environment before the etcd of a test. It must serve a write and a read, be
 * ready, and end on SIGTERM.
 */
export async function expectGatewayRuns(
  environment: Environment,
  endpoints: readonly string[],
): Promise<void> {
  const variables = { ...environment, ETCDNET_ENDPOINTS: endpoints.join() };
  await using gateway = new Cli(...ARGUMENTS, variables);
  const url = new URL(await gateway.url());
  const put = await fetch(new URL("/v2/keys/a", url), {
    method: "PUT",
    body: new URLSearchParams({ value: "1" }),
  });
  expect(put.status).toBe(201);
  const got = await fetch(new URL("/v2/keys/a", url));
  expect(await got.json()).toMatchObject({ node: { key: "/a", value: "1" } });
  const probe = await run(process.execPath, [MAIN, "probe", "--port", url.port]);
  expect([probe.code, probe.stderr]).toEqual([0, ""]);
  gateway.kill("SIGTERM");
  expect(await gateway.exit).toBe(0);
  // A mistyped variable would be a warning.
  expect(gateway.stderr).not.toMatch(PROBLEM);
}
