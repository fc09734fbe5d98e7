import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { type Etcdctl, findEtcdctl, TIME_LIMITS } from "../foreign/etcdctl.js";
import { type Outcome, run } from "../foreign/run.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { describeSideBySide } from "../support/side-by-side.js";
import { ADMIN_ROWS, KEY_ROWS, MISUSE_ROWS, type Row } from "./etcdctl-rows.js";
import { etcdnet } from "./etcdnet.js";

beforeAll(buildIfStale);

const etcdctl = findEtcdctl();
if ("missing" in etcdctl) {
  it.skipIf(process.env.CI !== "true")("compared with etcdctl", () => expect.fail(etcdctl.missing));
} else {
  describeWithEtcd("3.4", "beside etcdctl", () => compare(etcdctl));
}

const title = ({ args, input }: Row) => [args.join(" ") + (input ? " < input" : ""), args] as const;

function compare(etcdctl: Etcdctl): void {
  for (const [name, rows] of [
    ["keys", KEY_ROWS],
    ["members, roles and users", ADMIN_ROWS],
  ] as const) {
    describeSideBySide(`commands for ${name} have the same output and exit code:`, () => {
      const outcomes = outcomesOn(etcdctl);
      it.each(rows.map((row) => [...title(row), row] as const))(
        "%s",
        async (_title, _args, row) => {
          const [theirs, ours] = await outcomes(row);
          expect(comparable(ours)).toEqual(comparable(theirs));
        },
      );
    });
  }

  describe("invalid input has the same exit code, and is explained in one line:", () => {
    const outcomes = outcomesOn(etcdctl);
    it.concurrent.each(MISUSE_ROWS.map((row) => [...title(row), row] as const))(
      "%s",
      async (_title, _args, row) => {
        const [theirs, ours] = await outcomes(row);
        expect(ours.code).toBe(theirs.code);
        expect(ours.stdout).toBe("");
        expect(ours.stderr).toMatch(/^[^\n]+\n$/);
      },
    );
  });
}

/** Runs a row in a suite. Each program has its own server, and both servers get the same commands. */
function outcomesOn({ path }: Etcdctl): (row: Row) => Promise<[Outcome, Outcome]> {
  let servers: readonly [EtcdCluster, EtcdCluster] | undefined;
  beforeAll(async () => {
    servers = await Promise.all([startEtcd({ release: "3.4" }), startEtcd({ release: "3.4" })]);
  });
  afterAll(() => Promise.all((servers ?? []).map((server) => server.stop())));

  return async ({ args, input = "", env }) => {
    if (servers === undefined) throw new Error("the servers are not there");
    const [theirs, ours] = servers.map(({ urls }) => ["--endpoints", urls[0], ...args]);
    return Promise.all([
      run(path, [...TIME_LIMITS, ...(theirs ?? [])], { input, env: { ...env, ETCDCTL_API: "2" } }),
      etcdnet(ours ?? [], { input, env }),
    ]);
  };
}

/** The output without parts that differ between servers or over time. */
function comparable({ code, stdout, stderr }: Outcome) {
  const same = (text: string): string =>
    text
      .replace(/"expiration":"[^"]*"/g, '"expiration":"then"')
      .replace(/("ttl":|TTL: )[1-9]\d*/g, "$1some")
      .replace(/127\.0\.0\.1:\d{4,}/g, "host:port")
      .replace(/\b[\da-f]{12,16}\b/g, "ID")
      .replace(/^(?:New p|P)assword: \n?/, "")
      .replace(/^stty: .*\n/gm, "")
      .replace(/^Hint: .*\n/gm, "");
  return { code, stdout: same(stdout), stderr: same(stderr) };
}
