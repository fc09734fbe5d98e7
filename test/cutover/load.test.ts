/**
 * A cut-over under load, the return to v2, and the next cut-over, by processes: no client sees an error, nothing is lost or
 * carried out twice. The first attempt is killed while the gateways hold. `CUTOVER_KEYS=200000` is `npm run soak:cutover`.
 */

import { once } from "node:events";
import { Agent, request } from "node:http";
import { setTimeout } from "node:timers/promises";
import { beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { Cli } from "../support/cli-process.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";

const KEYS = Number(process.env.CUTOVER_KEYS ?? 1_000);
const TTL_KEYS = Math.max(100, KEYS / 20);
const POLLS = KEYS / 100;
const LOCKS = 3;
const LOCK_TTL = "120";
/** Long enough for a busy machine. `npm run soak:cutover` shows how long it takes. */
const HOLD_S = 20;
/** Before each request of who works all the time. Without it, they would take the machine from the switch, which then lasts longer. */
const PAUSE_MS = KEYS > 10_000 ? 0 : 150;
const TIMEOUT_MS = KEYS > 10_000 ? 3_600_000 : 600_000;

interface Node {
  readonly key: string;
  readonly value?: string;
  readonly ttl?: number;
  readonly modifiedIndex: number;
  readonly createdIndex: number;
  readonly nodes?: readonly Node[];
}

interface Answer {
  readonly status: number;
  readonly index: number;
  readonly errorCode?: number;
  readonly node?: Node;
}

/** Clients of the v2 API that know nothing of this library. */
class Clients {
  readonly problems: string[] = [];
  /** Milliseconds of the longest request, polls excluded. */
  longest = 0;
  readonly #urls: readonly string[];
  readonly #agent = new Agent({ keepAlive: true });
  #next = 0;

  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  /** Prints what a command has said, and the longest request since the last time. */
  report(stdout: string): void {
    console.info(`${stdout.trim()}; the longest request: ${Math.round(this.longest)} ms`);
    this.longest = 0;
  }

  async ask(
    method: string,
    path: string,
    fields?: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    const url = this.#urls[this.#next++ % this.#urls.length];
    const begun = performance.now();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const sent = request(`${url}/v2/keys${path}`, {
      method,
      agent: this.#agent,
      ...(fields && { headers }),
    });
    sent.end(fields && new URLSearchParams(fields).toString());
    const [response] = await once(sent, "response");
    const text = (await response.setEncoding("utf8").toArray()).join("");
    if (!path.includes("wait=")) this.longest = Math.max(this.longest, performance.now() - begun);
    const { errorCode, node } = text === "" ? {} : JSON.parse(text);
    const answer = { status: response.statusCode, index: Number(response.headers["x-etcd-index"]) };
    // 100 and 101 are normal responses.
    if (answer.status >= 500) this.problems.push(`${method} ${path}: ${answer.status} ${text}`);
    return { ...answer, errorCode, node };
  }
}

/** Locks of in-order keys, as clients of the v2 API make them: the first key holds, and its index is the fencing token. */
class Locks {
  /** Tokens of each lock, in the order in which it was acquired. */
  readonly tokens: readonly number[][] = Array.from({ length: LOCKS }, () => []);
  readonly #clients: Clients;

  constructor(clients: Clients) {
    this.#clients = clients;
  }

  /** Acquires and releases one lock again and again. */
  async compete(lock: number, hasEnded: () => boolean): Promise<void> {
    while (!hasEnded()) {
      const { key, token } = await this.#acquire(lock);
      this.tokens[lock]?.push(token);
      for (let renewal = 0; renewal < 3; renewal++) await this.#renew(key);
      await this.#release(key);
    }
  }

  /** Acquires a lock once, and renews it until the end. */
  async keep(lock: number, hasEnded: () => boolean): Promise<void> {
    const { key } = await this.#acquire(lock);
    while (!hasEnded()) {
      await this.#renew(key);
      await this.#requireFirst(key);
    }
    await this.#release(key);
  }

  async #acquire(lock: number) {
    const lease = { value: "holder", ttl: LOCK_TTL };
    const { node } = await this.#clients.ask("POST", `/locks/${lock}`, lease);
    if (node === undefined) throw new Error("there is no node in the response to a POST");
    while (!(await this.#isFirst(node.key))) await this.#renew(node.key);
    return { key: node.key, token: node.createdIndex };
  }

  async #renew(key: string): Promise<void> {
    await setTimeout(PAUSE_MS);
    const fields = { ttl: LOCK_TTL, refresh: "true", prevExist: "true", prevValue: "holder" };
    const { status } = await this.#clients.ask("PUT", key, fields);
    if (status !== 200) this.#clients.problems.push(`renewal of ${key}: ${status}`);
  }

  async #release(key: string): Promise<void> {
    const { status } = await this.#clients.ask("DELETE", `${key}?prevValue=holder`);
    if (status !== 200) this.#clients.problems.push(`release of ${key}: ${status}`);
  }

  async #requireFirst(key: string): Promise<void> {
    if (!(await this.#isFirst(key))) this.#clients.problems.push(`${key} does not hold any more`);
  }

  async #isFirst(key: string): Promise<boolean> {
    const directory = key.slice(0, key.lastIndexOf("/"));
    const { node } = await this.#clients.ask("GET", `${directory}?sorted=true&quorum=true`);
    return node?.nodes?.[0]?.key === key;
  }
}

/** Runs work for each number with limited concurrency. */
async function each(count: number, work: (number: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: 64 }, worker));
}

describeWithEtcd("3.7", `a cut-over of ${KEYS} keys`, () => {
  beforeAll(buildIfStale);

  it("the return, and the next one are short pauses for its clients", {
    timeout: TIMEOUT_MS,
  }, async () => {
    await using old = await startEtcd({ release: "3.4", members: 3 });
    await using next = await startEtcd({ release: "3.7" });
    const [oldUrls, newUrls] = [old.urls.join(","), next.urls.join(",")];
    const direct = new Clients(old.urls);
    await each(KEYS, (at) => direct.ask("PUT", `/data/${at % 200}/${at}`, { value: `${at}` }));
    const lease = { value: "x", ttl: "300" };
    await each(TTL_KEYS, (at) => direct.ask("PUT", `/leased/${at % 100}/${at}`, lease));
    const gateways = Array.from(
      { length: 3 },
      () => new Cli("gateway", "--port", "0", "--source", oldUrls, "--endpoints", newUrls),
    );
    await using _ = {
      [Symbol.asyncDispose]: async () =>
        void (await Promise.all(gateways.map((each) => each[Symbol.asyncDispose]()))),
    };
    const clients = new Clients(await Promise.all(gateways.map((gateway) => gateway.url())));
    const cutover = (...args: readonly string[]) =>
      new Cli("cutover", ...args, "--source", oldUrls, "--endpoints", newUrls);

    // Polls from before, of keys that change after the switch.
    const { index } = await clients.ask("PUT", "/counter", { value: "0" });
    const told = new Set<string>();
    const polls = Array.from({ length: POLLS }, async (_, at) => {
      const { node } = await clients.ask("GET", `/polled/${at}?wait=true&waitIndex=${index + 1}`);
      told.add(`${node?.key} ${node?.value}`);
    });
    const arm = async (): Promise<void> => {
      await using arming = cutover("arm", "--gateways", "3", "--hold", `${HOLD_S}s`);
      expect(await arming.exit, arming.stderr).toBe(0);
    };
    await arm();

    let hasEnded = false;
    let counted = 0;
    const count = async (): Promise<void> => {
      while (!hasEnded) {
        await setTimeout(PAUSE_MS);
        const { node } = await clients.ask("GET", "/counter?quorum=true");
        const prevIndex = `${node?.modifiedIndex}`;
        const value = `${Number(node?.value) + 1}`;
        const { status, errorCode } = await clients.ask("PUT", "/counter", { value, prevIndex });
        if (status === 200) counted++;
        else if (errorCode !== 101) clients.problems.push(`counter: ${status} ${errorCode}`);
      }
    };
    const names: string[] = [];
    const enqueue = async (): Promise<void> => {
      while (!hasEnded) {
        await setTimeout(PAUSE_MS);
        const { node } = await clients.ask("POST", "/queue", { value: "x" });
        if (node !== undefined) names.push(node.key);
      }
    };
    const refresh = async (): Promise<void> => {
      const fields = { ttl: "300", refresh: "true", prevExist: "true" };
      for (let at = 0; !hasEnded; at = (at + 1) % TTL_KEYS) {
        await setTimeout(PAUSE_MS);
        const { status } = await clients.ask("PUT", `/leased/${at % 100}/${at}`, fields);
        if (status !== 200) clients.problems.push(`refresh: ${status}`);
      }
    };
    const locks = new Locks(clients);
    const isOver = (): boolean => hasEnded;
    // The last lock is kept.
    const competing = Array.from({ length: 3 * (LOCKS - 1) }, (_, at) =>
      locks.compete(at % (LOCKS - 1), isOver),
    );
    const locking = [...competing, locks.keep(LOCKS - 1, isOver)];
    const work = Promise.all([count(), count(), enqueue(), refresh(), ...locking]);

    await using killed = cutover("flip");
    await expect.poll(() => killed.stderr).toMatch(/^holding$/m);
    killed.kill("SIGKILL");
    // The gateways go on with v2 by themselves, at the end of the hold or at once.
    await using aborting = new Cli("cutover", "abort", "--endpoints", newUrls);
    await aborting.exit;
    clients.longest = 0;
    await using flipping = cutover("flip");
    expect(await flipping.exit, flipping.stderr).toBe(0);
    const untilWorked = async (): Promise<void> => {
      const done = (): readonly number[] => [counted, ...locks.tokens.map(({ length }) => length)];
      const before = done();
      const more = (): boolean =>
        done().every((count, at) => at === LOCKS || count > (before[at] ?? 0) + 5);
      await expect.poll(more).toBe(true);
    };
    await untilWorked();
    await each(POLLS, (at) => clients.ask("PUT", `/polled/${at}`, { value: "told" }));
    await Promise.all(polls);
    clients.report(flipping.stdout);

    await using returning = cutover("back");
    expect(await returning.exit, returning.stderr).toBe(0);
    await untilWorked();
    clients.report(returning.stdout);

    await arm();
    await using again = cutover("flip");
    expect(await again.exit, again.stderr).toBe(0);
    await untilWorked();
    hasEnded = true;
    await work;
    clients.report(again.stdout);

    expect(clients.problems).toEqual([]);
    expect(told).toEqual(new Set(Array.from({ length: POLLS }, (_, at) => `/polled/${at} told`)));
    expect((await clients.ask("GET", "/counter")).node?.value).toBe(`${counted}`);
    const queue = (await clients.ask("GET", "/queue?sorted=true")).node?.nodes ?? [];
    expect(queue.map(({ key }) => key)).toEqual(names);
    for (const tokens of locks.tokens) {
      expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
    }
    await each(100, async (at) => {
      const { node } = await clients.ask("GET", `/leased/${at}`);
      expect(node?.nodes).toHaveLength(TTL_KEYS / 100);
      for (const { ttl = 0 } of node?.nodes ?? []) expect(ttl).toBeGreaterThan(60);
    });
    const { node: data } = await clients.ask("GET", "/data?recursive=true");
    const files = data?.nodes?.flatMap(({ nodes = [] }) => nodes) ?? [];
    expect(files).toHaveLength(KEYS);
    expect(files.every(({ key, value }) => key.endsWith(`/${value}`))).toBe(true);
  });
});
