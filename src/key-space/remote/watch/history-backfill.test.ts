import { expect, test } from "vitest";
import { SimulatedClock } from "../../../../test/support/simulated-clock.js";
import type { ScanRequest } from "../../../model/key-request.js";
import { onAbort } from "../../../stream/on-abort.js";
import { HistoryBackfill } from "./history-backfill.js";
import { ResumePoint } from "./resume-point.js";
import type { Scan } from "./watch-requests.js";

const ORIGIN = { etcdServer: "", etcdClusterId: "c", raftIndex: 0, raftTerm: 0 };

type Range = Pick<ScanRequest, "since" | "partial">;

/** The history of a member that has applied changes up to `head`. A scan returns the first change. */
class Member {
  readonly clock = new SimulatedClock();
  readonly resumePoint = new ResumePoint();
  readonly received: number[] = [];
  readonly #changes: readonly number[];
  head: number;
  /** Scans that were sent, and those that wait for an answer. */
  scans = 0;
  running = 0;
  mostRunning = 0;
  /** Scans from these indexes on get no answer. */
  silentFrom = Infinity;

  constructor(since: number, changes: readonly number[], head: number) {
    this.resumePoint.startAt(since);
    this.#changes = changes;
    this.head = head;
  }

  async scan({ since, partial }: Range, signal: AbortSignal): Promise<Scan> {
    if (++this.scans > 10_000) throw new Error("too many scans");
    this.mostRunning = Math.max(this.mostRunning, ++this.running);
    try {
      await this.#answer(since, signal);
    } finally {
      this.running--;
    }
    const first = partial ? since + 1 : since;
    const found = this.#changes.find((index) => index >= first && index <= this.head);
    const events =
      found === undefined ? [] : [{ action: "set", node: { key: "/a", modifiedIndex: found } }];
    const provenIndex = found === undefined ? this.head : found - 1;
    return { ...ORIGIN, etcdIndex: this.head, events, provenIndex } as unknown as Scan;
  }

  takeScan({ events, provenIndex = 0 }: Scan): boolean {
    const taken = events.filter((event) => this.resumePoint.take(event));
    this.received.push(...taken.map(({ node }) => node.modifiedIndex));
    this.resumePoint.advance(provenIndex);
    return taken.length > 0;
  }

  async #answer(since: number, signal: AbortSignal): Promise<void> {
    if (since < this.silentFrom) return;
    await new Promise((_, reject) => {
      onAbort(signal, () => reject(signal.reason));
    });
  }
}

const changesFrom = (first: number, count: number, step: number) =>
  Array.from({ length: count }, (_, n) => first + n * step);

const fetch = (index: number, member: Member) =>
  new HistoryBackfill(member, index).fetch(new AbortController().signal);

test("all changes of a history are received in order, at any distance", async () => {
  for (const step of [1, 3, 7, 8, 9, 40, 1_000]) {
    const changes = changesFrom(100, 50, step);
    const member = new Member(90, changes, 100_000);
    expect(await fetch(100_000, member)).toBe(true);
    expect(member.received, `every ${step}`).toEqual(changes);
    expect(member.scans, `every ${step}`).toBeLessThan(20 * changes.length);
  }
});

test("a member that is behind by a million indexes is not asked once for every few of them", async () => {
  const changes = [...changesFrom(541, 40, 3), ...changesFrom(1_000_880, 10, 2)];
  const member = new Member(541, changes, 700);
  const fetched = fetch(1_000_900, member);
  await member.clock.pass(1_000);
  expect(member.scans).toBeLessThan(1_000);
  expect(member.mostRunning).toBeLessThanOrEqual(32);
  member.head = 1_000_900;
  await member.clock.pass(100);
  expect(await fetched).toBe(true);
  expect(member.received).toEqual(changes);
});

test("ranges of which a scan has proven that they have no change are not scanned", async () => {
  const member = new Member(541, changesFrom(541, 40, 1), 1_000_900);
  expect(await fetch(1_000_900, member)).toBe(true);
  expect(member.scans).toBeLessThan(100);
});

test("scans whose results are of no use are aborted", async () => {
  const member = new Member(541, changesFrom(541, 20, 3), 600);
  member.silentFrom = 602;
  const fetched = fetch(700, member);
  await member.clock.pass(500);
  expect(member.running).toBeLessThanOrEqual(1);
  member.silentFrom = Infinity;
  member.head = 700;
  await member.clock.pass(100);
  expect(await fetched).toBe(true);
});
