/** Random writes of anybody below a service, and a watcher of its instances that is cut off at times. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { Stage } from "../../test/recipes/stage.js";
import { SEED } from "../../test/support/seed.js";
import type { KeyRequest } from "../model/key-request.js";
import { Registry } from "./registry/registry.js";

const SERVICE = "/services/mail";

type Step = KeyRequest | "cut" | { readonly pass: number };

const key = fc.constantFrom("a", "b", "c").map((id) => `${SERVICE}/${id}`);
const value = fc.constantFrom(
  '{"owner":"x","metadata":1}',
  '{"owner":"x","metadata":2}',
  "nothing of the kind",
);
const life = fc.constantFrom({}, { ttl: 1 });
const above = fc.constantFrom(SERVICE, "/services");

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(key, value, life)
      .map(([key, value, life]) => ({ action: "set", key, value, ...life }) as const),
  },
  key.map((key) => ({ action: "delete", key, recursive: true }) as const),
  key.map((key) => ({ action: "set", key: `${key}/below`, value: "" }) as const),
  key.map((key) => ({ action: "set", key, dir: true }) as const),
  above.map((key) => ({ action: "delete", key, recursive: true }) as const),
  fc
    .tuple(above, fc.constantFrom(2, 600))
    .map(([key, ttl]) => ({ action: "update", key, dir: true, ttl }) as const),
  fc.constant("cut" as const),
  fc.integer({ min: 1, max: 3_000 }).map((pass) => ({ pass })),
);

/** Who is up by what was told, which must make sense one by one. */
class Follower {
  readonly up = new Map<string, unknown>();
  readonly faults: string[] = [];

  async follow(registry: Registry): Promise<void> {
    for await (const { type, instance } of registry.watch("mail")) {
      const { id, metadata } = instance;
      if (this.up.has(id) !== (type !== "up")) this.faults.push(`${id} ${type}`);
      if (type === "down") this.up.delete(id);
      else this.up.set(id, metadata);
    }
  }
}

async function carryOut(stage: Stage, step: Step, cut: () => Promise<void>): Promise<void> {
  if (step === "cut") await cut();
  else if ("pass" in step) await stage.pass(step.pass);
  else await stage.memory.execute(step).catch(() => {});
}

test("what a watcher is told of instances adds up to what is found", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const stage = new Stage();
      const { etcd, way } = stage.process();
      const registry = new Registry(etcd, "/services");
      const follower = new Follower();
      const following = follower.follow(registry);
      await stage.pass(1);
      for (const step of steps) await carryOut(stage, step, () => way.cut());
      await stage.pass(5_000);
      const found = await registry.discover("mail");
      expect([...follower.up].sort()).toEqual(found.map(({ id, metadata }) => [id, metadata]));
      expect(follower.faults).toEqual([]);
      await etcd.close();
      await following;
    }),
    { seed: SEED, numRuns: 300 },
  );
});
