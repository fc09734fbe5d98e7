/** The return to v2 when writes arrive late, when somebody writes to v2 directly, and when its process is killed. */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { arm } from "../../src/cutover/arm.js";
import { type BackOptions, back } from "../../src/cutover/back.js";
import { cutoverStatus } from "../../src/cutover/cutover-status.js";
import { abort, flip } from "../../src/cutover/flip.js";
import { type CutoverTarget, openTarget } from "../../src/cutover/open-target.js";
import { EtcdClient } from "../../src/index.js";
import type { KeySpace } from "../../src/key-space/key-space.js";
import type { AnyNode } from "../../src/model/node.js";
import { Cli } from "../support/cli-process.js";
import { shortTtl } from "../support/cpu-share.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { randomFrom } from "../support/random-from.js";
import { SEED } from "../support/seed.js";
import { ask, put, write } from "./clients.js";
import { HOLD_MS, type SwitchRig, useSwitchRigs } from "./switch-rig.js";

/** Attempts that are killed. `npm run soak:cutover` kills more. */
const KILLS = Number(process.env.CUTOVER_KILLS ?? 1);
const KILLED_WITHIN_MS = 3_000;
/** So short that a write which is held back fails soon. */
const WRITE_TIMEOUT_MS = 1_000;
const FIVE_MINUTES_MS = 300_000;
const SHIFTED_CLOCK = pathToFileURL(join(import.meta.dirname, "shifted-clock.mjs")).href;

/** Values by key of all files that are not hidden. */
const filesIn = ({ key, value, nodes = [] }: AnyNode): readonly (readonly [string, string])[] => [
  ...(value === undefined ? [] : [[key, value] as const]),
  ...nodes.flatMap(filesIn),
];

async function files(etcd: EtcdClient): Promise<Readonly<Record<string, string>>> {
  const { node } = await etcd.getNode("/", { recursive: true, quorum: true });
  return Object.fromEntries(filesIn(node));
}

/** The same cluster. One key is written in another way. */
function withWrite(etcd: EtcdClient, key: string, write: KeySpace["execute"]): EtcdClient {
  const { keySpace } = etcd;
  const execute: KeySpace["execute"] = (request, options) => {
    const isOther = request.action !== "get" && request.key === key;
    return isOther ? write(request, options) : keySpace.execute(request, options);
  };
  return replacing(etcd, { keySpace: replacing(keySpace, { execute }) });
}

/** The same object with other properties. */
function replacing<T extends object>(object: T, properties: Partial<T>): T {
  return new Proxy(object, {
    get(target, name) {
      if (name in properties) return Reflect.get(properties, name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Returns as soon as no write of an earlier attempt may arrive. */
async function backWhenAllowed({ source, target }: SwitchRig, options: BackOptions): Promise<void> {
  for (;;) {
    try {
      await back(source, target, options);
      return;
    } catch (error) {
      if (!/run it again in \d+ s$/.test(String(error))) throw error;
    }
  }
}

describeWithEtcd("3.7", "a return to v2 under hostile conditions", () => {
  const { start, keep } = useSwitchRigs();
  beforeAll(buildIfStale);

  for (const [name, fault] of [
    ["arrives late", "hold"],
    ["was carried out without a response", "cut after request"],
  ] as const) {
    it(`does not count when a write to v2 ${name}`, async () => {
      const rig = await start(2);
      const { target, source, sourceUrls, gateways, direct } = rig;
      const [first, second = first] = gateways;
      await put(first, "/late", { value: "1" });
      await put(first, "/removed", { value: "1" });
      await arm(source, target, { gateways: 2, hold: HOLD_MS });
      await flip(source, target, {});
      await put(second, "/late", { value: "2" });
      await ask(second, "/removed", { method: "DELETE" });

      const proxies = await Promise.all(sourceUrls.map((url) => FaultProxy.before(url)));
      for (const proxy of proxies) keep(proxy);
      for (const proxy of proxies) await proxy.become(fault);
      const urls = proxies.map(({ url }) => url);
      const slow = keep(new EtcdClient({ urls, writeTimeout: WRITE_TIMEOUT_MS }));
      // Half of it is the time in which an attempt must renew its record.
      const late = 2_000 * shortTtl();
      const writeLate: KeySpace["execute"] = (...args) => slow.keySpace.execute(...args);
      const failing = back(withWrite(source, "/late", writeLate), target, { late });
      await expect(failing).rejects.toThrow(
        "not returned: v2 has not responded to a write (set /late), which may still arrive",
      );
      expect(await target.records.read()).toMatchObject({ phase: "target" });
      await expect(back(source, target, { late })).rejects.toThrow(/run it again in \d+ s$/);
      expect((await put(first, "/late", { value: "3" })).status).toBe(200);
      expect((await put(first, "/new", { value: "1" })).status).toBe(201);
      for (const proxy of proxies) await proxy.become("pass");
      await expect.poll(() => source.getNodeValue("/late")).toBe("2");
      await backWhenAllowed(rig, { late });
      const copy = await files(source);
      expect(copy).toEqual({ "/late": "3", "/new": "1" });
      expect(copy).toEqual(await files(direct()));
      for (const gateway of gateways) {
        expect((await ask(gateway, "/late")).body.node?.value).toBe("3");
      }
    });
  }

  it("keeps what clients of gateways have written while somebody writes to v2 directly", async () => {
    const { target, source, gateways } = await start(2);
    const stop = new AbortController();
    const foreignEnding = new AbortController();
    let foreignWrites = 0;
    const writeForeign = () => source.setNode("/foreign", `${foreignWrites++}`);
    const foreign = (async () => {
      while (!foreignEnding.signal.aborted) await writeForeign();
    })();
    // Its error is thrown below.
    foreign.catch(() => {});
    const writers = gateways.map((gateway, at) => write(gateway, `/live/${at}`, stop.signal));
    const alarms = async () => (await cutoverStatus(target.records)).alarms.join();
    await arm(source, target, { gateways: 2, hold: HOLD_MS });
    await flip(source, target, {});
    await expect.poll(alarms).toMatch(/changes of v2 after its end: \d+; last: set \/foreign/);
    foreignEnding.abort();
    await foreign;
    const overwriting = withWrite(source, "/foreign", async (...args) => {
      const response = await source.keySpace.execute(...args);
      await writeForeign();
      return response;
    });
    // The copy would not be one.
    await expect(back(overwriting, target, {})).rejects.toThrow(
      /does not keep the written values: "\/foreign" differ/,
    );
    await back(source, target, {});
    await expect.poll(alarms).toBe("");
    await arm(source, target, { gateways: 2, hold: HOLD_MS });
    await flip(source, target, {});
    await source.setNode("/foreign", "late");
    await expect.poll(alarms).toMatch(/after its end: 1; last: set \/foreign/);
    stop.abort();
    const results = await Promise.all(writers);
    expect(results.flatMap(({ problems }) => problems)).toEqual([]);
    const [gateway] = gateways;
    const shown = await files(keep(new EtcdClient({ urls: [gateway.url] })));
    const written = results.flatMap((each) => each.written);
    expect(Object.keys(shown).sort()).toEqual(["/foreign", ...written].sort());
  });

  it(`loses nothing when its process is killed, ${KILLS} times`, async () => {
    const { target, source, sourceUrls, targetUrls, gateways } = await start(2);
    const random = randomFrom(SEED);
    await arm(source, target, { gateways: 2, hold: HOLD_MS });
    await flip(source, target, {});
    const stop = new AbortController();
    const writers = gateways.map((gateway, at) => write(gateway, `/live/${at}`, stop.signal));
    const clusters = ["--source", sourceUrls.join(","), "--endpoints", targetUrls.join(",")];
    const said: string[] = [];
    for (let killed = 0; ; ) {
      await using cli = new Cli("cutover", "back", "--late", "1s", ...clusters);
      const isLast = killed === KILLS;
      const kill = () => cli.kill("SIGKILL");
      const timer = isLast ? undefined : setTimeout(kill, random() * KILLED_WITHIN_MS);
      const exit = await cli.exit;
      clearTimeout(timer);
      said.push(`${exit}: ${(cli.stdout + cli.stderr).trim()}`);
      if (exit === "SIGKILL") {
        killed++;
        await abort(target).catch(() => {});
      } else if (exit === 0) {
        if (isLast) break;
        // It was not killed in time.
        await arm(source, target, { gateways: 2, hold: HOLD_MS });
        await flip(source, target, {});
      }
    }
    stop.abort();
    const results = await Promise.all(writers);
    expect(results.flatMap(({ problems }) => problems)).toEqual([]);
    const written = results.flatMap((each) => each.written).sort();
    expect(Object.keys(await files(source)).sort(), said.join("\n")).toEqual(written);
  });

  it("does not depend on equal clocks", async () => {
    await using old = await startEtcd({ release: "3.4", members: 3 });
    await using next = await startEtcd({ release: "3.7" });
    const clusters = ["--source", old.urls.join(","), "--endpoints", next.urls.join(",")];
    const withClock = (shiftMs: number, ...args: readonly string[]) =>
      new Cli(...args, ...clusters, {
        NODE_OPTIONS: `--import=${SHIFTED_CLOCK}`,
        SHIFT_MS: `${shiftMs}`,
      });
    await using early = withClock(-FIVE_MINUTES_MS, "gateway", "--port", "0");
    await using late = withClock(FIVE_MINUTES_MS, "gateway", "--port", "0");
    const gateways = [{ url: await early.url() }, { url: await late.url() }] as const;
    await using target = openTarget({ urls: next.urls });
    const cutover = async (shiftMs: number, ...args: readonly string[]): Promise<void> => {
      await using cli = withClock(shiftMs, "cutover", ...args);
      expect(await cli.exit, cli.stderr).toBe(0);
    };
    const arming = ["arm", "--gateways", "2", "--hold", `${HOLD_MS / 1000}s`];
    const [first, second] = gateways;
    const stop = new AbortController();
    const writers = gateways.map((gateway, at) => write(gateway, `/live/${at}`, stop.signal));
    await put(first, "/leased", { value: "1", ttl: "600" });
    await put(second, "/refreshed", { value: "1", ttl: "600" });
    // What gateways show of v3 depends on their clocks.
    const requireTtls = async ({ keySpace }: Pick<CutoverTarget, "keySpace"> | EtcdClient) => {
      for (const key of ["/leased", "/refreshed"]) {
        const { node } = await keySpace.execute({ action: "get", key, quorum: true });
        // Each switch adds the hold.
        expect(node.ttl).toBeGreaterThan(400);
        expect(node.ttl).toBeLessThan(600 + (4 * HOLD_MS) / 1000);
      }
    };
    const source = keep(new EtcdClient({ urls: old.urls }));
    await cutover(FIVE_MINUTES_MS, ...arming);
    await cutover(-FIVE_MINUTES_MS, "flip");
    await requireTtls(target);
    await put(first, "/refreshed", { ttl: "600", refresh: "true", prevExist: "true" });
    await cutover(FIVE_MINUTES_MS, "back");
    await requireTtls(source);
    await put(second, "/refreshed", { ttl: "600", refresh: "true", prevExist: "true" });
    await cutover(-FIVE_MINUTES_MS, ...arming);
    await cutover(FIVE_MINUTES_MS, "flip");
    await requireTtls(target);
    expect((await target.records.read())?.phase).toBe("target");
    stop.abort();
    const results = await Promise.all(writers);
    expect(results.flatMap(({ problems }) => problems)).toEqual([]);
    const shown = await files(keep(new EtcdClient({ urls: [first.url] })));
    const written = results.flatMap((each) => each.written);
    expect(Object.keys(shown).sort()).toEqual(["/leased", ...written, "/refreshed"].sort());
  });
});
