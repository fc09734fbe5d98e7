/** Every file of examples/, run as a user runs it: a process, the built package, a real etcd. */

import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { buildIfStale, root } from "../scripts/project.mjs";
import { EtcdClient, type EtcdClientOptions } from "../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "./support/etcd.js";

/** Its tests run processes. With more at a time on two cores, each would meet its timeouts. */
vi.setConfig({ maxConcurrency: 5 });

const examples = join(root, "examples");
const names = readdirSync(examples).map((file) => basename(file, ".mjs"));

/** Below the limit of a test. */
const EXAMPLE_TIMEOUT_MS = 150_000;

/** Lines that each example must print. */
const EXPECTED: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  "abort-and-timeouts": [
    "a watch: aborted, outcome none",
    "a watch of 50 ms: aborted, outcome none",
    "a late write: aborted, outcome not-sent",
    "a read: timeout after 200 ms",
    "a quorum read: timeout after 1000 ms",
    "a write: outcome unknown after TimeoutError",
    "a write that was sent, then aborted: aborted, outcome unknown",
  ],
  authentication: [
    "users: example-alice, root",
    "alice reads: hello",
    "alice's write without permission is refused: Insufficient credentials",
    "alice's write with permission is accepted",
    "a wrong password is refused: Insufficient credentials",
    'guest may: {"read":["/*"],"write":["/*"]}',
  ],
  "basic-use": ["the greeting is hello"],
  cluster: [
    /^release 3\.4\.\d+ in a cluster of version 3\.4\.0$/,
    /^member m1 \(leader\) at http:\/\/127\.0\.0\.1:\d+$/,
    /^http:\/\/127\.0\.0\.1:\d+ is healthy$/,
    "the leader has 0 followers",
    /^cluster [\da-f]+ is at index [1-9]\d*$/,
  ],
  "compare-and-delete-by-index": [
    "not deleted: the key was written in between",
    "deleted at the index of the last write",
  ],
  "compare-and-delete-by-value": [
    "not bob's key: [bob != alice]",
    "alice released the key",
    "/example-compare-and-delete-by-value does not exist",
  ],
  "compare-and-swap-by-index": [/^three concurrent increments: 3, after \d \+ \d \+ \d attempts$/],
  "compare-and-swap-by-value": [
    "/example-compare-and-swap-by-value does not exist",
    "red became green",
    "not red: [red != green]",
  ],
  config: [
    "shop uses localhost:5432",
    "invalid: /example-config/database/port: must be a port",
    "still 5432",
    "the port was 5432, is 6432",
  ],
  create: [
    "alice created /example-create/owner, for 60 s",
    "bob came too late: /example-create/owner exists",
    "/example-create/folder is a directory: true",
  ],
  "create-in-order": [/^wash is \/example-create-in-order\/\d{20}$/, "in order: wash, dry, fold"],
  delete: [
    "/example-delete/a is deleted, its value was 1",
    "/example-delete/a does not exist any more",
    "NotFileError: /example-delete",
    "DirNotEmptyError: /example-delete",
    "/example-delete is deleted with its content",
  ],
  "delete-ignoring-not-found": ["first time: deleted", "second time: nothing to delete"],
  election: [
    "bob leads after ann: true",
    "observed: no leader, then ann at 10.0.0.1, then ann at 10.0.0.1, ready, then bob at 10.0.0.2, then no leader",
  ],
  errors: [
    "one class: KeyNotFoundError, /example-errors/missing does not exist",
    "one class: NodeExistError, /example-errors/file exists",
    "a group (100 to 199): NotFileError, code 102, Not a file",
    "no endpoint responded: http://127.0.0.1:1",
    /^an error in this program: TypeError: key: "example-errors" must begin with "\/"/,
    "instanceof: true",
  ],
  get: [
    /^\/example-get = here, last changed at index \d+$/,
    "read with quorum: here",
    "/example-get does not exist",
  ],
  "get-ignoring-not-found": ["before: missing", "after: here"],
  "get-value": ["missing: null", "file: 8080", "directory: null"],
  "json-deserializer": ["the node is frozen: true"],
  "keep-alive": [
    /^it would have expired at \d{4}-.*Z$/,
    /^it will now expire at \d{4}-.*Z$/,
    "the key was taken-over and the signal is aborted: true",
    "the key is unchanged: another owner",
    "the key was lost: gone",
    "the key exists again: true",
    "the key after close(): null",
  ],
  "list-in-order": [
    "/example-list-in-order/",
    "  /example-list-in-order/apple = 5",
    "  /example-list-in-order/citrus/",
    "    /example-list-in-order/citrus/lemon = 12",
    "    /example-list-in-order/citrus/lime = 11",
    "  /example-list-in-order/pear = 4",
    "/example-list-in-order does not exist",
  ],
  lock: [
    "four deposits, one at a time: 4",
    "tryAcquire of a held lock returns null: true",
    "lock /example-lock: not acquired within 100 ms",
    "lost: gone",
  ],
  mirror: [
    "web is at 80",
    "services: mail, web",
    "is there a database? false",
    "set /example-mirror/services/web/port: 80 -> 8080",
    "web moved to 8080",
    "delete /example-mirror/services/mail/port: 25 -> undefined",
    "delete /example-mirror: undefined -> undefined",
    "nodes after the delete: 0",
    "staleFor is below a minute: true",
  ],
  namespace: [
    "key in the namespace: /port",
    "key outside: /example-namespace/mail/port",
    "children of its root: /port",
    "missing in the namespace: /host",
  ],
  observability: [
    /^PUT \/example-observability at http:\/\/127\.0\.0\.1:\d+: ok, 1 attempts$/,
    /^DELETE \/example-observability at http:\S+: ETCD_KEY_NOT_FOUND, 1 attempts$/,
    /^GET \/example-observability failed at http:\/\/127\.0\.0\.1:1: connect ECONNREFUSED/,
    "5 calls, 2 failed",
    "1 failed attempts",
    "0 open watches",
  ],
  opentelemetry: [
    "etcd PUT, child of handle a request: ok",
    "etcd DELETE, child of handle a request: ETCD_KEY_NOT_FOUND",
    "handle a request, child of none: ok, watch open, watch end",
    "etcd GET, child of none: ETCD_CLUSTER_UNAVAILABLE, failover",
  ],
  options: [
    /^connected to etcd 3\.4\.\d+$/,
    "TypeError: timeout: must be a whole number of milliseconds, at least 1",
  ],
  queue: [
    "clumsy takes wash",
    "dropped it",
    "careful takes wash",
    "careful takes dry",
    "careful takes fold",
    "waited for iron",
  ],
  registry: [
    "malformed: /example-registry/mail/three = not an instance",
    "found: one at 10.0.0.1:25, two at 10.0.0.2:25",
    "up one 10.0.0.1:25",
    "up two 10.0.0.2:25",
    "changed one 10.0.0.1:26",
    "down two 10.0.0.2:25",
  ],
  tls: ["over TLS: private", /^without ca: .*certificate/],
  "unknown-outcome": [
    /^lost: PUT \/example-unknown-outcome\/setting was sent to .* outcome is unknown/,
    "set: repeated",
    "create: the key is from this client",
    "compare and swap: the first attempt, or another client, set the count to 2",
    "create in order: the job exists",
  ],
  update: [
    "update: the key does not exist",
    "set: one became two",
    "a set creates a new node: true",
    "update: two became three, for 60 s",
    "an update keeps the node: true",
    "expires: never",
  ],
  watch: [
    "state (initial): 0 keys",
    "change: set /example-watch/a, was undefined, is 1",
    "change: delete /example-watch/a, was 1, is undefined",
    "change: expire /example-watch/b, was 2, is undefined",
    "change: delete /example-watch, was undefined, is undefined",
    "one change: old -> new",
  ],
};

test("every example has expected lines", () => {
  expect(names.sort()).toEqual(Object.keys(EXPECTED).sort());
});

test("options.mjs names every option", () => {
  const [, options = ""] = readFileSync(join(root, "src/client/options.ts"), "utf8").split(
    "interface EtcdClientOptions",
  );
  const known = [...options.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name);
  const text = readFileSync(join(examples, "options.mjs"), "utf8");
  expect(known).toContain("endpoints");
  expect(known.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
});

describeWithEtcd("3.4", "an example", () => {
  const folder = mkdtempSync(join(tmpdir(), "etcdnet-examples-"));
  const password = "sesame";
  let plain: EtcdCluster;
  let withAuth: EtcdCluster;
  let withTls: EtcdCluster;

  beforeAll(async () => {
    buildIfStale();
    [plain, withAuth, withTls] = await Promise.all([
      startEtcd({ release: "3.4" }),
      startEtcd({ release: "3.4", rootPassword: password }),
      startEtcd({ release: "3.4", clientCertAuth: true }),
    ]);
  });

  afterAll(async () => {
    await Promise.all([plain, withAuth, withTls].map((cluster) => cluster.stop()));
    rmSync(folder, { recursive: true });
  });

  test.concurrent.each(names)(
    "%s runs, prints what is expected and ends by itself",
    async (name) => {
      const lines = await run(name, environmentOf(name));
      const expected = EXPECTED[name] ?? [];
      expect(lines).toEqual(expect.arrayContaining(expected.map(asMatcher)));
    },
  );

  test("leaves nothing behind", async () => {
    const { ca = "", clientCertificate = { cert: "", key: "" } } = withTls;
    const { cert, key } = clientCertificate;
    expect(await contentOf({ urls: plain.urls })).toEqual({ nodes: [] });
    expect(await contentOf({ urls: withTls.urls, ca, x509Certificate: { cert, key } })).toEqual({
      nodes: [],
    });
    const root = { urls: withAuth.urls, username: "root", password };
    expect(await contentOf(root)).toEqual({ nodes: [], users: ["root"] });
  });

  function environmentOf(name: string): NodeJS.ProcessEnv {
    if (name === "authentication") {
      return { ETCD_URLS: withAuth.urls.join(), ETCD_PASSWORD: password };
    }
    if (name !== "tls") return { ETCD_URLS: plain.urls.join() };
    const { urls, ca = "", clientCertificate } = withTls;
    return {
      ETCD_URLS: urls.join(),
      ETCD_CA: written("ca.pem", ca),
      ETCD_CERT: written("client.pem", clientCertificate?.cert ?? ""),
      ETCD_KEY: written("client.key", clientCertificate?.key ?? ""),
    };
  }

  function written(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  }
});

/** The lines that an example prints. Fails, and shows the output, unless the exit code is 0. */
async function run(name: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const options = { env: { ...process.env, ...env }, cwd: root, timeout: EXAMPLE_TIMEOUT_MS };
  const file = join(examples, `${name}.mjs`);
  const { stdout } = await promisify(execFile)(process.execPath, [file], options);
  return stdout.split("\n");
}

function asMatcher(line: string | RegExp): unknown {
  return typeof line === "string" ? line : expect.stringMatching(line);
}

/** The nodes of a store without hidden keys, and its users if auth is enabled. */
async function contentOf(options: EtcdClientOptions) {
  const etcd = new EtcdClient(options);
  const { node } = await etcd.getNode("/", { recursive: true });
  const users = options.username === undefined ? undefined : await etcd.auth.users.list();
  await etcd.close();
  return { nodes: node.nodes ?? [], ...(users && { users: users.map(({ user }) => user) }) };
}
