import { expect, test } from "vitest";
import { SimulatedClock } from "../../../../test/support/simulated-clock.js";
import { errorDefinition, serverErrorOf } from "../../../errors/error-table.js";
import type { ScanRequest } from "../../../model/key-request.js";
import { Pacer } from "../../../time/pacer.js";
import { SharedScans } from "./shared-scans.js";
import type { Scan, WatchRequests } from "./watch-requests.js";

const ORIGIN = { etcdServer: "", etcdClusterId: "c", raftIndex: 0, raftTerm: 0 };

/** Scans of a history that holds nothing, unless `answer` says otherwise. */
function arrange(answer: (request: ScanRequest) => Partial<Scan> = () => ({})) {
  const clock = new SimulatedClock();
  const asked: (ScanRequest & { readonly at: number })[] = [];
  const begunAt = clock.monotonic();
  const scan = async (request: ScanRequest): Promise<Scan> => {
    asked.push({ ...request, at: clock.monotonic() - begunAt });
    return { ...ORIGIN, etcdIndex: 100, events: [], provenIndex: 100, ...answer(request) };
  };
  const never = () => Promise.reject(new Error("only scans"));
  const requests: WatchRequests = { scan, openWatch: never, probe: never };
  const scans = new SharedScans(requests, clock, new Pacer(50, clock));
  const { signal } = new AbortController();
  const ask = (key: string, since: number) => scans.scan({ key, recursive: false, since }, signal);
  return { clock, asked, scans, ask };
}

const clearedError = () =>
  serverErrorOf({
    ...{ ...errorDefinition(401), errorCode: 401, detail: "", key: "/a", endpoint: "" },
    ...{ index: 100, operation: "GET /a" },
  });

test("one scan, from the earliest index, serves all watches of a key that wait", async () => {
  const { clock, asked, ask } = arrange();
  const first = ask("/a", 1);
  await clock.pass(0);
  const others = [ask("/a", 9), ask("/a", 7)];
  await clock.pass(100);
  for (const scan of await Promise.all([first, ...others])) expect(scan.provenIndex).toBe(100);
  expect(asked).toMatchObject([{ since: 1 }, { key: "/a", recursive: false, since: 7 }]);
});

test("few keys are scanned one by one, never more than 20 times a second", async () => {
  const { clock, asked, ask } = arrange();
  const keys = ["/a", "/b", "/c", "/d"];
  const all = Promise.all(keys.map((key) => ask(key, 1)));
  await clock.pass(1_000);
  await all;
  expect(asked.map(({ key }) => key)).toEqual(keys);
  for (const [n, { at }] of asked.entries()) expect(at).toBeGreaterThanOrEqual(50 * n);
});

test("many keys are served by one scan of the directory that holds them all", async () => {
  const { clock, asked, ask } = arrange();
  const all = Promise.all(["a", "b", "c", "d", "e"].map((name, n) => ask(`/dir/${name}`, 5 + n)));
  await clock.pass(100);
  expect((await all).map(({ provenIndex }) => provenIndex)).toEqual(Array(5).fill(100));
  expect(asked).toMatchObject([{ key: "/dir", recursive: true, since: 5 }]);
});

test("they are scanned one by one where the directory is too busy, or is refused", async () => {
  const node = { key: "/dir/other", value: "1", modifiedIndex: 5, createdIndex: 5 };
  const events = [{ ...ORIGIN, action: "set" as const, node, etcdIndex: 100 }];
  const busy = arrange(({ recursive }) => (recursive ? { events, provenIndex: 4 } : {}));
  const refused = arrange(({ recursive }) => {
    if (recursive) throw clearedError();
    return {};
  });
  for (const { clock, asked, ask } of [busy, refused]) {
    const names = ["a", "b", "c", "d", "e"];
    const scan = () => Promise.all(names.map((name) => ask(`/dir/${name}`, 5)));
    const first = scan();
    await clock.pass(1_000);
    await first;
    const second = scan();
    await clock.pass(1_000);
    for (const { provenIndex } of await second) expect(provenIndex).toBe(100);
    expect(asked.filter(({ recursive }) => recursive)).toHaveLength(1);
  }
});

test("a watch that is too far behind for history does not harm the others", async () => {
  const { clock, ask } = arrange(({ since }) => {
    if (since < 5) throw clearedError();
    return {};
  });
  const late = ask("/a", 4);
  const prompt = ask("/a", 5);
  late.catch(() => {});
  await clock.pass(200);
  await expect(late).rejects.toMatchObject({ name: "EventIndexClearedError" });
  expect(await prompt).toMatchObject({ provenIndex: 100 });
});

test("a scan begins after an index of which all that wait have changes", async () => {
  const { clock, asked, scans } = arrange();
  const { signal } = new AbortController();
  const ask = (since: number, partial: boolean) =>
    scans.scan({ key: "/a", recursive: false, since, partial }, signal);
  const rounds = [
    [ask(5, true), ask(5, true), ask(6, false)],
    [ask(5, true), ask(5, false)],
  ];
  await clock.pass(0);
  expect(asked).toMatchObject([{ since: 5, partial: false }]);
  await Promise.all(rounds.flat());
  const later = [ask(5, true), ask(6, false)];
  await clock.pass(200);
  await Promise.all(later);
  expect(asked.at(-1)).toMatchObject({ since: 5, partial: true });
});

test("a watch that stops waiting leaves no timer and no scan behind", async () => {
  const { clock, asked, scans, ask } = arrange();
  const first = ask("/a", 1);
  await clock.pass(0);
  await first;
  const leaving = new AbortController();
  const left = scans.scan({ key: "/b", recursive: false, since: 1 }, leaving.signal);
  leaving.abort(new Error("enough"));
  await expect(left).rejects.toThrow("enough");
  await clock.pass(0);
  expect([clock.pending, asked.length]).toEqual([0, 1]);
});
