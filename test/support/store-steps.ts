/** Random steps of a store, for property tests. */

import fc from "fast-check";
import type { Store } from "../../src/key-space/memory/store.js";
import { StoreError } from "../../src/key-space/shared/store-error.js";
import type { KeyRequest } from "../../src/model/key-request.js";

const key = fc
  .array(fc.constantFrom("a", "b", "_c"), { minLength: 1, maxLength: 3 })
  .map((names) => `/${names.join("/")}`);
const lifetime = fc.constantFrom({}, { ttl: 1 }, { ttl: 1000 });
const value = fc.constantFrom("1", "2");
const request: fc.Arbitrary<KeyRequest> = fc.oneof(
  fc.record({ action: fc.constant("set" as const), key, value }),
  fc
    .tuple(key, lifetime)
    .map(([at, ttl]): KeyRequest => ({ action: "set", key: at, dir: true, ...ttl })),
  fc
    .tuple(key, lifetime)
    .map(([at, ttl]): KeyRequest => ({ action: "update", key: at, value: "", ...ttl })),
  key.map((at): KeyRequest => ({ action: "create", key: at, value: "3", inOrder: true })),
  key.map((at): KeyRequest => ({ action: "delete", key: at, recursive: true })),
);

export type StoreStep = KeyRequest | "expire";

export const storeStep: fc.Arbitrary<StoreStep> = fc.oneof(
  { weight: 4, arbitrary: request },
  { weight: 1, arbitrary: fc.constant("expire" as const) },
);

/** Executes a step. A refused request changes nothing. */
export function executeStep(store: Store, step: StoreStep, now: number): void {
  try {
    if (step === "expire") store.expireNext(now + 10_000);
    else store.apply(step, now);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
  }
}
