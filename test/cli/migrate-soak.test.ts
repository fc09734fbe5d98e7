import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { isEtcdError } from "../../src/errors/is-etcd-error.js";
import { EtcdClient } from "../../src/index.js";
import { Cli } from "../support/cli-process.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { etcdnet } from "./etcdnet.js";

const KEYS = Number(process.env.MIGRATE_KEYS ?? 5_000);
const PER_DIRECTORY = 100;
const DIRECTORIES = Math.ceil(KEYS / PER_DIRECTORY);
/** Keys per second, slow enough to kill the process during the copy. */
const RATE = Math.max(1_500, Math.round(KEYS / 15));
const LIMIT = 300_000 + KEYS * 10;
const IN_FLIGHT = 64;

beforeAll(buildIfStale);

describeWithEtcd("3.4", "a migration beside writers that is killed three times", () => {
  describeWithEtcd("3.7", "from v2 to v3,", () => {
    it(`ends with ${KEYS} keys that do not differ`, () => soak(), LIMIT);
  });
});

async function soak(): Promise<void> {
  await using source = await startEtcd({ release: "3.4", args: ["--snapshot-count=20000"] });
  await using target = await startEtcd({
    release: "3.7",
    args: ["--quota-backend-bytes=4294967296"],
  });
  await using etcd = new EtcdClient({ urls: source.urls });
  await fill(etcd);
  await using writers = new Writers(etcd);
  const sides = ["--from", source.urls[0], "--to", target.urls[0], "--to-api", "v3"];
  const hidden = ["--hidden", "/app/_hidden"];
  const begin = () => new Cli("migrate", ...sides, ...hidden, "--follow", "--rate", String(RATE));

  for (let kill = 0; kill < 3; kill++) await killAfter(0.2, begin());
  await using last = begin();
  await expect.poll(() => last.stderr, { timeout: LIMIT, interval: 200 }).toContain("copied: ");
  // During follow, short TTLs end and long ones are renewed.
  await sleep(3_000);
  await writers.stop();
  last.kill("SIGINT");
  expect(await last.exit).toBe(0);
  expect(last.stderr).toMatch(/^done: /m);
  // Nodes with a short TTL expire on both sides, on v3 some seconds later.
  await using moved = new EtcdClient({ urls: target.urls, api: "v3" });
  for (const side of [etcd, moved]) {
    await expect.poll(() => shortLived(side), { interval: 100 }).toEqual([]);
  }
  expect(writers.done).toBeGreaterThan(100);

  const { code, stdout, stderr } = await etcdnet(["migrate", ...sides, ...hidden, "--verify"]);
  expect([stdout, code]).toEqual(["", 0]);
  expect(stderr).toMatch(/ 0 differences\n$/);
}

async function shortLived(etcd: EtcdClient): Promise<readonly string[]> {
  const found = await etcd.getNode("/app/short", { ignoreKeyNotFound: true });
  return found?.node.nodes?.map(({ key }) => key) ?? [];
}

/** Kills the process with SIGKILL when it has copied this number of keys. */
async function killAfter(share: number, cli: Cli): Promise<void> {
  await using _ = cli;
  await expect.poll(() => cli.stderr).toContain("copying ");
  await sleep(((share * KEYS) / RATE) * 1000);
  expect(cli.stderr).not.toContain("copied: ");
  cli.kill("SIGKILL");
  expect(await cli.exit).toBe("SIGKILL");
}

function keyOf(n: number): string {
  return `/app/d${n % DIRECTORIES}/key-${n}`;
}

async function fill(etcd: EtcdClient): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let n = next++; n < KEYS; n = next++) {
      const ttl = n % 10 === 0 ? { ttl: 600 } : {};
      await etcd.setNode(keyOf(n), `value of ${n}`, { ...ttl, noValueOnSuccess: true });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  await etcd.createNode("/app/session", null, { dir: true, ttl: 300 });
  await etcd.setNode("/app/session/member", "here");
  await etcd.setNode("/app/_hidden/key", "seen");
}

/** Writers that change the source in every way, until they are stopped. */
class Writers implements AsyncDisposable {
  readonly #etcd: EtcdClient;
  readonly #ended: Promise<unknown>;
  #isStopped = false;
  done = 0;

  constructor(etcd: EtcdClient) {
    this.#etcd = etcd;
    this.#ended = Promise.all([0, 1, 2].map((seed) => this.#write(seed)));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #write(seed: number): Promise<void> {
    for (let n = seed; !this.#isStopped; n += 3) {
      await this.#change(n).catch((error: unknown) => {
        if (!isEtcdError(error, "KeyNotFound")) throw error;
      });
      this.done++;
      await sleep(5);
    }
  }

  /** Each key belongs to one writer at a time, so that they do not conflict. */
  async #change(n: number): Promise<unknown> {
    const etcd = this.#etcd;
    const key = keyOf((n * 7919) % KEYS);
    switch (n % 12) {
      case 0:
        return etcd.deleteNode(key);
      case 1:
        return etcd.refreshNode(key, 600);
      case 2:
        return etcd.setNode(`/app/short/s${n % 50}`, `${n}`, { ttl: 2 });
      case 3:
        return etcd.setNode(`/app/new/${n % 100}/deep/${n}`, `${n}`);
      case 4:
        return etcd.deleteNode(`/app/new/${n % 100}`, { recursive: true });
      case 5:
        return etcd.updateNode("/app/session", null, { dir: true, ttl: 300 });
      case 6:
        return etcd.createInOrderNode("/app/queue", `${n}`);
      case 7:
        return etcd.setNode(`/app/_hidden/k${n % 20}`, `${n}`);
      case 8:
        return etcd.updateNode(key, `without a TTL ${n}`);
      case 9:
        return etcd.setNode(key, `with one ${n}`, { ttl: 500 });
      case 10:
        return etcd.setNode(`/app/turns/t${n % 5}`, null, { dir: true }).catch(() => undefined);
      default:
        return etcd.setNode(key, `again ${n}`);
    }
  }
}
