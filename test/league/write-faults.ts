/** Writes that etcd applies, and whose response the client does not get. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Outcome } from "./driver.js";
import type { CallFacts, WriteFacts } from "./judge.js";
import { type TestBed, until } from "./test-bed.js";

const WRITES = 10;
const APPLIED_WITHIN_MS = 10_000;
/** Longer than the default timeouts that the clients have, apart from repeated ones. */
const CALL_LIMIT_MS = 90_000;

/** Creates 10 in-order keys, or puts 10 keys in v3, one after the other. */
export function addsWithoutResponse(bed: TestBed): Promise<WriteFacts[]> {
  const directory = "/adds";
  return inTurn(async (number) => {
    const value = `value-${number}`;
    return withoutResponse(
      bed,
      () => bed.driver.ask("add", { key: directory, value }),
      () => bed.store.timesWritten(directory, value),
    );
  });
}

/** Swaps the value of one key 10 times. */
export async function swapsWithoutResponse(bed: TestBed): Promise<WriteFacts[]> {
  const key = "/swapped";
  const nthValue = (number: number) => `value-${number}`;
  await bed.store.set(key, nthValue(0));
  return inTurn(async (number) => {
    const before = await bed.store.swaps(key);
    return withoutResponse(
      bed,
      () => bed.driver.ask("swap", { key, from: nthValue(number), to: nthValue(number + 1) }),
      async () => (await bed.store.swaps(key)) - before,
    );
  });
}

/** 5 reads and 5 writes at the same time, when nothing passes in either direction any more. */
export async function callsOnHungConnection(bed: TestBed): Promise<CallFacts[]> {
  await bed.untilConnected();
  await bed.proxy.become("hang");
  const reads = Array.from({ length: 5 }, () => bed.driver.ask("get", { key: "/ready" }));
  const writes = Array.from({ length: 5 }, (_, number) =>
    bed.driver.ask("add", { key: "/hung", value: `${number}` }),
  );
  return Promise.all([...reads, ...writes].map(timed));
}

async function inTurn(write: (number: number) => Promise<WriteFacts>): Promise<WriteFacts[]> {
  const facts: WriteFacts[] = [];
  for (let number = 0; number < WRITES; number++) facts.push(await write(number));
  return facts;
}

/**
 * Closes the connections once etcd has applied the write, and before a byte of its response has passed.
 * Connections opened later work.
 */
async function withoutResponse(
  bed: TestBed,
  write: () => Promise<Outcome>,
  timesApplied: () => Promise<number>,
): Promise<WriteFacts> {
  await bed.untilConnected();
  await bed.proxy.become("hold response");
  const outcome = write();
  const isApplied = async () => {
    // A client may read before it writes. What arrived before the check is not the write's response.
    const forwardHeld = bed.proxy.takeHeld();
    const applied = (await timesApplied()) > 0;
    if (!applied) forwardHeld();
    return applied;
  };
  await until(isApplied, APPLIED_WITHIN_MS);
  await bed.proxy.recover();
  const { error } = await endOf(outcome);
  return { applied: await timesApplied(), ...(error !== undefined && { error }) };
}

async function endOf(outcome: Promise<Outcome>): Promise<Outcome> {
  const { endedAfter } = await timed(outcome);
  return endedAfter === undefined ? { error: "the call did not end" } : outcome;
}

async function timed(outcome: Promise<Outcome>): Promise<CallFacts> {
  const begun = performance.now();
  const limit = sleep(CALL_LIMIT_MS, undefined, { ref: false });
  const ended = await Promise.race([outcome, limit]);
  return ended === undefined ? {} : { endedAfter: performance.now() - begun };
}
