import { expect, test } from "vitest";
import { UnauthorizedError } from "../../../errors/common-errors.js";
import { errorDefinition, serverErrorOf } from "../../../errors/error-table.js";
import { systemClock } from "../../../time/clock.js";
import { Pacer } from "../../../time/pacer.js";
import { SharedProbe } from "./shared-reads.js";
import type { Probe } from "./watch-requests.js";

const pacer = new Pacer(1, systemClock);
const never = (signal: AbortSignal): Promise<Probe> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

test("probes before a read begins share it; a later probe gets another", async () => {
  const probe = new SharedProbe(pacer);
  let reads = 0;
  const read = async (): Promise<Probe> => ({ etcdClusterId: "c", index: ++reads });
  const both = [probe.probe(read, undefined), probe.probe(read, undefined)];
  expect(await Promise.all(both)).toMatchObject([{ index: 1 }, { index: 1 }]);
  expect(await probe.probe(read, undefined)).toMatchObject({ index: 2 });
});

test("only the watch whose key was read learns of the file", async () => {
  const probe = new SharedProbe(pacer);
  const read = async (): Promise<Probe> => ({ etcdClusterId: "c", index: 7, fileIndex: 3 });
  const both = [probe.probe(read, undefined), probe.probe(read, undefined)];
  expect(await Promise.all(both)).toMatchObject([
    { index: 7, fileIndex: 3 },
    { index: 7, fileIndex: undefined },
  ]);
});

test("a refusal concerns one caller only", async () => {
  const probe = new SharedProbe(pacer);
  const refusal = serverErrorOf({
    ...{ ...errorDefinition(110), errorCode: 110, detail: "", key: "/a", endpoint: "" },
    ...{ index: 0, operation: "GET /a" },
  });
  const refused = probe.probe(() => Promise.reject(refusal), undefined);
  const allowed = probe.probe(() => Promise.resolve({ etcdClusterId: "c", index: 7 }), undefined);
  await expect(refused).rejects.toBeInstanceOf(UnauthorizedError);
  expect(await allowed).toMatchObject({ index: 7 });
});

test("a read goes on while anybody waits, and is given up with the last", async () => {
  const probe = new SharedProbe(pacer);
  const [first, second] = [new AbortController(), new AbortController()];
  let abandoned = false;
  let begun: () => void = () => {};
  const hasBegun = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const read = (signal: AbortSignal): Promise<Probe> => {
    begun();
    signal.addEventListener("abort", () => {
      abandoned = true;
    });
    return never(signal);
  };
  const asked = [probe.probe(read, first.signal), probe.probe(read, second.signal)];
  await hasBegun;
  first.abort(new Error("first"));
  await expect(asked[0]).rejects.toThrow("first");
  expect(abandoned).toBe(false);
  second.abort(new Error("second"));
  await expect(asked[1]).rejects.toThrow("second");
  expect(abandoned).toBe(true);
});
