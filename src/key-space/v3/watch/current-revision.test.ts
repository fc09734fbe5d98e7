import { expect, it } from "vitest";
import { type V3Api, V3Response } from "../../../etcd3/v3-api.js";
import { CurrentRevision } from "./current-revision.js";

/** An API whose reads are answered when the test says so. */
function slowApi(): { readonly api: V3Api; readonly answer: () => void; reads: number } {
  const waiting: ((answer: V3Response) => void)[] = [];
  const slow = {
    reads: 0,
    answer: () => {
      const header = { cluster_id: "1", member_id: "2", revision: String(slow.reads) };
      waiting.shift()?.(new V3Response({ header }, "http://a"));
    },
    api: {
      call: () => {
        slow.reads++;
        return new Promise<V3Response>((resolve) => waiting.push(resolve));
      },
      stream: () => Promise.reject(new Error("not here")),
      close: () => {},
    },
  };
  return slow;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it("callers that arrive while a read is running share the next one", async () => {
  const slow = slowApi();
  const fresh = new CurrentRevision(slow.api, "");
  const first = fresh.get("GET /a", undefined);
  const later = [fresh.get("GET /b", undefined), fresh.get("GET /c", undefined)];
  expect(slow.reads).toBe(1);
  slow.answer();
  expect((await first).revision).toBe(1);
  await turn();
  expect(slow.reads).toBe(2);
  slow.answer();
  expect((await Promise.all(later)).map(({ revision }) => revision)).toEqual([2, 2]);
});

it("an aborted caller leaves the read to the others", async () => {
  const slow = slowApi();
  const fresh = new CurrentRevision(slow.api, "");
  const abort = new AbortController();
  const first = fresh.get("GET /a", abort.signal);
  abort.abort();
  await expect(first).rejects.toMatchObject({ name: "AbortError" });
  const second = fresh.get("GET /a", undefined);
  slow.answer();
  await turn();
  slow.answer();
  expect((await second).revision).toBe(2);
});
