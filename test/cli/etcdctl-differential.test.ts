import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { type Etcdctl, findEtcdctl, TIME_LIMITS } from "../foreign/etcdctl.js";
import { type Outcome, run } from "../foreign/run.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { ADMIN_ROWS, KEY_ROWS, MISUSE_ROWS, type Row } from "./etcdctl-rows.js";
import { etcdnet } from "./etcdnet.js";

beforeAll(buildIfStale);

const etcdctl = findEtcdctl();
if ("missing" in etcdctl) {
  it.skipIf(process.env.CI !== "true")("compared with etcdctl", () => expect.fail(etcdctl.missing));
} else {
  describeWithEtcd("3.4", "beside etcdctl", () => compare(etcdctl));
}

/** Each program has its own server, and both servers get the same commands. */
function compare({ path }: Etcdctl): void {
  let servers: readonly [EtcdCluster, EtcdCluster] | undefined;
  beforeAll(async () => {
    servers = await Promise.all([startEtcd({ release: "3.4" }), startEtcd({ release: "3.4" })]);
  });
  afterAll(() => Promise.all((servers ?? []).map((server) => server.stop())));

  const outcomes = async ({ args, input = "", env }: Row): Promise<[Outcome, Outcome]> => {
    if (servers === undefined) throw new Error("the servers are not there");
    const [theirs, ours] = servers.map(({ urls }) => ["--endpoints", urls[0], ...args]);
    return Promise.all([
      run(path, [...TIME_LIMITS, ...(theirs ?? [])], { input, env: { ...env, ETCDCTL_API: "2" } }),
      etcdnet(ours ?? [], { input, env }),
    ]);
  };
  const title = ({ args, input }: Row) =>
    [args.join(" ") + (input ? " < input" : ""), args] as const;

  describe("has the same output and exit code:", () => {
    // Users last: etcdnet adds them with more writes, so that existing users keep their passwords.
    it.each([...KEY_ROWS, ...ADMIN_ROWS].map((row) => [...title(row), row] as const))(
      "%s",
      async (_title, _args, row) => {
        const [theirs, ours] = await outcomes(row);
        expect(comparable(ours)).toEqual(comparable(theirs));
      },
    );
  });

  describe("has the same exit code for invalid input, and explains it in one line:", () => {
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

/** The output without parts that differ between servers or over time. */
function comparable({ code, stdout, stderr }: Outcome) {
  const same = (text: string): string =>
    text
      .replace(/"expiration":"[^"]*"/g, '"expiration":"then"')
      .replace(/("ttl":|TTL: )[1-9]\d*/g, "$1some")
      .replace(/127\.0\.0\.1:\d{4,}/g, "host:port")
      .replace(/\b[\da-f]{12,16}\b/g, "ID")
      .replace(/^(?:New p|P)assword: \n?/, "")
      .replace(/^stty: .*\n/gm, "");
  return { code, stdout: same(stdout), stderr: same(stderr) };
}
