import { expect, it } from "vitest";
import { fromJson } from "../../../etcd3/json-form.js";
import { type V3Api, V3Response } from "../../../etcd3/v3-api.js";
import { CurrentRevision } from "./current-revision.js";

/** An API whose reads complete when the test says so. */
function slowApi(): { readonly api: V3Api; readonly answer: () => void; reads: number } {
  const waiting: (() => void)[] = [];
  const api: V3Api = {
    call: ({ response }) => {
      slow.reads++;
      return new Promise((resolve) => {
        waiting.push(() => {
          const header = { cluster_id: "1", member_id: "2", revision: slow.reads };
          resolve(new V3Response(fromJson(response, { header }), "http://a"));
        });
      });
    },
    watch: () => Promise.reject(new Error("not here")),
    close: () => {},
  };
  const slow = { api, reads: 0, answer: () => waiting.shift()?.() };
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
  expect((await first).header.revision).toBe(1);
  await turn();
  expect(slow.reads).toBe(2);
  slow.answer();
  expect((await Promise.all(later)).map(({ header }) => header.revision)).toEqual([2, 2]);
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
  expect((await second).header.revision).toBe(2);
});
