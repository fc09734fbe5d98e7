/** Watches whose connection fails while keys below them are written. */

import { setTimeout as sleep } from "node:timers/promises";
import { tellsOfLoss, type WatchFacts } from "./judge.js";
import { type TestBed, until } from "./test-bed.js";

const DIRECTORY = "/watched";
const WRITES = 20;
const WRITES_BEFORE = 5;
const WATCHES_WITHIN_MS = 30_000;
/** How long the port stays closed after the writes: clients try to reconnect during this time. */
const OUTAGE_MS = 2_000;
/** Limit for the delivery of what was written during the fault. */
const DELIVERY_LIMIT_MS = 90_000;
/** Events are delivered in order: what has not come so long after a later one does not come. */
const SETTLED_AFTER_MS = 5_000;
const WRITE_AFTERWARDS_EVERY_MS = 1_000;

/** The port is closed during the writes. */
export async function gap(bed: TestBed): Promise<WatchFacts> {
  await openWatch(bed);
  await deliverFirstEvents(bed);
  return observe(bed, () => outage(bed, "gap", WRITES));
}

/** The same, before the watch has had an event. */
export async function gapBeforeFirstEvent(bed: TestBed): Promise<WatchFacts> {
  await openWatch(bed);
  return observe(bed, () => outage(bed, "gap", WRITES));
}

/** A gap at whose end etcd has forgotten the events. */
export async function gapBeyondHistory(bed: TestBed): Promise<WatchFacts> {
  await openWatch(bed);
  await deliverFirstEvents(bed);
  return observe(bed, () => outage(bed, "gap", WRITES, () => bed.store.forgetEvents()));
}

/** Ten short gaps, each with two writes. After each one, the first new connection of the watch is cut. */
export async function flapping(bed: TestBed): Promise<WatchFacts> {
  await openWatch(bed);
  await deliverFirstEvents(bed);
  return observe(bed, async () => {
    const written: string[] = [];
    for (let round = 0; round < WRITES / 2; round++) {
      written.push(...(await outage(bed, `gap-${round}`, 2)));
      await until(async () => (await bed.proxiedWatches()) > 0, WATCHES_WITHIN_MS);
      await bed.proxy.cut();
    }
    return written;
  });
}

/** Nothing passes on the connections of the client any more, which stay open. New ones work. */
export async function frozen(bed: TestBed): Promise<WatchFacts> {
  await openWatch(bed);
  await deliverFirstEvents(bed);
  return observe(bed, async () => {
    await bed.proxy.freezeIdle(async () => {});
    return write(bed, "gap", WRITES);
  });
}

async function openWatch(bed: TestBed): Promise<void> {
  await bed.untilConnected();
  const before = await bed.watches();
  const { error } = await bed.driver.ask("watch", { key: DIRECTORY });
  if (error !== undefined) throw new Error(`the watch was not opened: ${error}`);
  const isOpen = async () => (await bed.watches()) > before;
  if (!(await until(isOpen, WATCHES_WITHIN_MS))) throw new Error("etcd does not have the watch");
}

async function deliverFirstEvents(bed: TestBed): Promise<void> {
  const values = await write(bed, "before", WRITES_BEFORE);
  const isDelivered = () => values.every((value) => bed.driver.events.includes(value));
  if (!(await until(isDelivered, WATCHES_WITHIN_MS))) throw new Error("the watch does not deliver");
}

async function outage(
  bed: TestBed,
  name: string,
  writes: number,
  alsoDo = async () => {},
): Promise<readonly string[]> {
  await bed.proxy.become("refuse");
  const written = await write(bed, name, writes);
  await alsoDo();
  await sleep(OUTAGE_MS);
  await bed.proxy.become("pass");
  return written;
}

/** What the client delivers and reports from the beginning of the fault on. */
async function observe(bed: TestBed, fault: () => Promise<readonly string[]>): Promise<WatchFacts> {
  const { events, notices } = bed.driver;
  const noticesBefore = notices.length;
  const written = await fault();
  const facts = () => ({ written, delivered: [...events], notices: notices.slice(noticesBefore) });
  const begun = performance.now();
  let laterEventAt: number | undefined;
  const isOver = () => {
    const { delivered, notices } = facts();
    const hasLater = delivered.some((value) => value.startsWith("after"));
    if (hasLater || notices.some(tellsOfLoss)) laterEventAt ??= performance.now();
    const isSettled =
      laterEventAt !== undefined && performance.now() - laterEventAt > SETTLED_AFTER_MS;
    return isSettled || written.every((value) => delivered.includes(value));
  };
  while (!isOver() && performance.now() - begun < DELIVERY_LIMIT_MS) {
    await write(bed, `after-${Math.round(performance.now())}`, 1);
    await until(isOver, WRITE_AFTERWARDS_EVERY_MS);
  }
  return facts();
}

async function write(bed: TestBed, name: string, count: number): Promise<readonly string[]> {
  const values = Array.from({ length: count }, (_, index) => `${name}-${index}`);
  for (const value of values) await bed.store.set(`${DIRECTORY}/${value}`, value);
  return values;
}
