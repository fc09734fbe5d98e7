import fc from "fast-check";
import { expect, test } from "vitest";
import { ScriptedClient, settled } from "../../test/support/scripted-client.js";
import { SEED } from "../../test/support/seed.js";
import { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import { readState } from "../key-space/shared/read-state.js";
import type { KeyRequest } from "../model/key-request.js";
import { type EtcdNode, isPresent } from "../model/node.js";
import { Mirror } from "./mirror/mirror.js";
import type { MirrorChange } from "./mirror/mirror-change.js";

/** Random writes on a key space in memory, and a mirror of a part of it that misses some of them. */

const TOP = "/t/m";
const EVERYTHING = { key: TOP, recursive: true };
const STATE = { ...EVERYTHING, state: "full" } as const;

type Step =
  | { readonly kind: "request"; readonly request: KeyRequest }
  | { readonly kind: "pass"; readonly milliseconds: number }
  | { readonly kind: "cut" }
  | { readonly kind: "resync" };

const key = fc
  .array(fc.constantFrom("a", "b", "\u{10000}", "\uffff"), { maxLength: 3 })
  .map((names) => [TOP, ...names].join("/"));
const anyKey = fc.oneof(
  { weight: 12, arbitrary: key },
  { weight: 1, arbitrary: fc.constantFrom("/t/mm", "/t/mm/a") },
);
const value = fc.constantFrom("", "1", "2");
const ttl = fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 2 });
const lifetime = ttl.map((ttl) => (ttl === undefined ? {} : { ttl }));
const file = fc.record({ key: anyKey, value });
const place = fc.record({ key: anyKey });

const writes: readonly fc.Arbitrary<KeyRequest>[] = [
  fc.tuple(file, lifetime).map(([file, life]) => ({ action: "set", ...file, ...life })),
  fc.tuple(place, lifetime).map(([at, life]) => ({ action: "set", dir: true, ...at, ...life })),
  fc.tuple(file, lifetime).map(([file, life]) => ({ action: "create", ...file, ...life })),
  file.map((file) => ({ action: "create", inOrder: true, ...file })),
  fc.tuple(file, lifetime).map(([file, life]) => ({ action: "update", ...file, ...life })),
  fc.tuple(place, lifetime).map(([at, life]) => ({ action: "update", dir: true, ...at, ...life })),
  fc
    .tuple(file, value)
    .map(([file, prevValue]) => ({ action: "compareAndSwap", prevValue, ...file })),
  fc
    .tuple(place, value)
    .map(([at, prevValue]) => ({ action: "compareAndDelete", prevValue, ...at })),
  fc
    .tuple(place, fc.boolean(), fc.boolean())
    .map(([at, dir, recursive]) => ({ action: "delete", dir, recursive, ...at })),
  fc.constant({ action: "delete", key: "/t", recursive: true }),
];
const refresh = place.map(
  (at): KeyRequest => ({ action: "update", refresh: true, ttl: 2, value: undefined, ...at }),
);

/** Refreshes are silent: with them a mirror's indexes and expirations may be old. */
function scenario(refreshes: boolean): fc.Arbitrary<readonly Step[]> {
  const request = fc.oneof(...writes, ...(refreshes ? [refresh] : []));
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 16, arbitrary: request.map((request) => ({ kind: "request" as const, request })) },
    {
      weight: 3,
      arbitrary: fc
        .integer({ min: 1, max: 2000 })
        .map((milliseconds) => ({ kind: "pass" as const, milliseconds })),
    },
    { weight: 1, arbitrary: fc.constant({ kind: "cut" as const }) },
    { weight: 2, arbitrary: fc.constant({ kind: "resync" as const }) },
  );
  return fc.array(step, { minLength: 1, maxLength: 60, size: "max" });
}

/** What is known of a node whatever the moment; of one that was refreshed, only its content. */
function essence({ ttl: _, ...node }: EtcdNode, isExact: boolean): unknown {
  const { key, value, dir } = node;
  return isExact ? node : { key, value, dir };
}

const contentOf = (node: EtcdNode): string => node.value ?? "directory";

/** A copy of a mirror that knows no more than what the mirror tells. */
class Replica {
  readonly contents: Map<string, string>;

  constructor(mirror: Mirror) {
    this.contents = contentsOf(mirror);
    mirror.on("change", (change) => this.#apply(change));
    mirror.on("error", (error) => this.failures.push(error));
  }

  readonly failures: Error[] = [];

  #apply({ key, node, prevNode }: MirrorChange): void {
    expect(this.contents.get(key)).toBe(prevNode && contentOf(prevNode));
    const parent = key.slice(0, key.lastIndexOf("/"));
    if (node === undefined) {
      expect([...this.contents.keys()].filter((other) => other.startsWith(`${key}/`))).toEqual([]);
      this.contents.delete(key);
      return;
    }
    if (key !== TOP) expect(this.contents.get(parent)).toBe("directory");
    this.contents.set(key, contentOf(node));
  }
}

function contentsOf(mirror: Mirror): Map<string, string> {
  return new Map([...mirror].map((node) => [node.key, contentOf(node)]));
}

/** Follows the key space, with interruptions. */
class Stand {
  readonly etcd = new ScriptedClient();
  readonly keySpace = new MemoryKeySpace({ clock: this.etcd.clock });
  readonly mirror = new Mirror(this.etcd, TOP);
  #cut = (): void => {};
  isConnected = false;

  async carryOut(step: Step): Promise<void> {
    if (step.kind === "cut") this.cut();
    if (step.kind === "resync") await this.resync();
    if (step.kind === "pass") this.etcd.clock.advance(step.milliseconds);
    if (step.kind === "request") await this.keySpace.execute(step.request).catch(() => {});
    await settled();
  }

  cut(): void {
    this.#cut();
    this.isConnected = false;
  }

  async resync(): Promise<void> {
    this.#cut();
    const state = await readState(this.keySpace, STATE, {});
    this.etcd.watcher.deliver({ type: "resync", reason: "history-cleared", ...state });
    const watch = await this.keySpace.openWatch({ ...EVERYTHING, stream: true });
    this.#cut = () => watch.close();
    this.isConnected = true;
    void this.#pass(watch);
  }

  async #pass(watch: Awaited<ReturnType<MemoryKeySpace["openWatch"]>>): Promise<void> {
    for await (const response of watch) this.etcd.watcher.deliver({ type: "change", response });
  }

  /** Every node of a recursive, sorted read, parents first. */
  async read(): Promise<EtcdNode[]> {
    const flat = (top: EtcdNode): EtcdNode[] => {
      const { nodes = [], ...node } = top;
      return [node, ...nodes.flatMap(flat)];
    };
    const request = { action: "get", sorted: true, ...EVERYTHING } as const;
    const answer = await this.keySpace.execute(request).catch(() => undefined);
    return answer !== undefined && isPresent(answer.node) ? flat(answer.node) : [];
  }

  async close(): Promise<void> {
    this.#cut();
    await this.mirror.close();
    await this.keySpace.close();
  }
}

async function check(steps: readonly Step[], isExact: boolean): Promise<void> {
  const stand = new Stand();
  const { mirror, keySpace } = stand;
  await stand.keySpace.execute({ action: "set", key: `${TOP}/a`, value: "1" });
  await stand.resync();
  await mirror.ready;
  const replica = new Replica(mirror);
  let seen = await stand.read();
  for (const step of steps) {
    await stand.carryOut(step);
    if (stand.isConnected) seen = await stand.read();
    const show = (node: EtcdNode): unknown => essence(node, isExact);
    expect([...mirror].map(show)).toEqual(seen.map(show));
    expect(mirror.index).toBeLessThanOrEqual(keySpace.index);
    expect(replica.contents).toEqual(contentsOf(mirror));
    expect(replica.failures).toEqual([]);
  }
  await stand.close();
}

test("a mirror is what a recursive read answers, to the index and the expiration", async () => {
  await fc.assert(
    fc.asyncProperty(scenario(false), (steps) => check(steps, true)),
    { seed: SEED },
  );
});

test("with silent refreshes, it is so in all but indexes and expirations", async () => {
  await fc.assert(
    fc.asyncProperty(scenario(true), (steps) => check(steps, false)),
    { seed: SEED },
  );
});
