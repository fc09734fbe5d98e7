import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Arrangement, Cases, Started } from "./arrangement.js";
import { closing } from "./closing.js";
import { conditions } from "./conditions.js";
import { deletion } from "./deletion.js";
import { directories } from "./directories.js";
import { inOrderKeys } from "./in-order-keys.js";
import { indexes } from "./indexes.js";
import { listing } from "./listing.js";
import { reads } from "./reads.js";
import { refresh } from "./refresh.js";
import { removalOfAncestors } from "./removal-of-ancestors.js";
import { subscriptions } from "./subscriptions.js";
import { text } from "./text.js";
import { ttl } from "./ttl.js";
import { watchFromHistory } from "./watch-from-history.js";
import { watchLive } from "./watch-live.js";
import { writes } from "./writes.js";

/** Cases that wait for an expiry run concurrently; the others run one after another. */
const SUBJECTS: readonly { name: string; cases: Cases; concurrent?: boolean }[] = [
  { name: "reads", cases: reads },
  { name: "writes", cases: writes },
  { name: "conditions", cases: conditions },
  { name: "directories", cases: directories },
  { name: "deletion", cases: deletion },
  { name: "in-order keys", cases: inOrderKeys },
  { name: "indexes", cases: indexes },
  { name: "listing", cases: listing },
  { name: "text", cases: text },
  { name: "ttl", cases: ttl, concurrent: true },
  { name: "refresh", cases: refresh, concurrent: true },
  { name: "live watches", cases: watchLive },
  { name: "removal of ancestors", cases: removalOfAncestors },
  { name: "watches from history", cases: watchFromHistory },
  { name: "subscriptions", cases: subscriptions },
  { name: "closing and aborting", cases: closing },
];

/** Defines the tests that every implementation of `KeySpace` must pass. */
export function keySpaceContract({ name, start, skips }: Arrangement): void {
  describe(name, () => {
    let started: Started;
    beforeAll(async () => {
      started = await start();
    });
    afterAll(() => started?.stop());

    for (const { name, cases, concurrent = false } of SUBJECTS) {
      describe(name, { concurrent }, () => {
        for (const [name, check] of Object.entries(cases)) {
          test(name, async ({ skip }) => {
            if (skips[name] !== undefined) skip(skips[name]);
            const { keySpace, another } = started;
            await check({ keySpace, another, dir: `/contract/${randomUUID()}` });
          });
        }
      });
    }

    test("every skip names a case", () => {
      const names = SUBJECTS.flatMap(({ cases }) => Object.keys(cases));
      expect(names).toEqual([...new Set(names)]);
      expect(names).toEqual(expect.arrayContaining(Object.keys(skips)));
    });
  });
}
