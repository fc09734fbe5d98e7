import { expect } from "vitest";
import type { Cases } from "./arrangement.js";
import { eventOf } from "./events.js";

export const closing: Cases = {
  "closing a watch ends its iterator": async ({ keySpace, dir }) => {
    const watch = await keySpace.openWatch({ key: dir, stream: true });
    const iterator = watch[Symbol.asyncIterator]();
    const waiting = iterator.next();
    watch.close();
    watch.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  },

  "a closed watch delivers no more events": async ({ keySpace, dir }) => {
    const key = `${dir}/a`;
    const closed = await keySpace.openWatch({ key, stream: true });
    const open = await keySpace.openWatch({ key });
    closed.close();
    await keySpace.execute({ action: "set", key, value: "1" });
    await eventOf(open);
    for await (const event of closed) expect.fail(`delivered ${event.action}`);
  },

  "a call with an aborted signal rejects with AbortError and has no effect": async ({
    keySpace,
    dir,
  }) => {
    const reason = new Error("no longer wanted");
    const signal = AbortSignal.abort(reason);
    const aborted = { name: "AbortError", code: "ABORT_ERR", cause: reason };
    const key = `${dir}/a`;
    const write = keySpace.execute({ action: "set", key, value: "1" }, { signal });
    await expect(write).rejects.toMatchObject({ ...aborted, outcome: "not-sent" });
    const read = keySpace.execute({ action: "get", key: "/" }, { signal });
    await expect(read).rejects.toMatchObject({ ...aborted, outcome: "none" });
    const watch = keySpace.openWatch({ key }, { signal });
    await expect(watch).rejects.toMatchObject({ ...aborted, outcome: "none" });
    await expect(keySpace.execute({ action: "get", key })).rejects.toMatchObject({
      errorCode: 100,
    });
  },

  "aborting a watch's signal ends its iterator with AbortError": async ({ keySpace, dir }) => {
    const abort = new AbortController();
    const { signal } = abort;
    const watch = await keySpace.openWatch({ key: dir }, { signal });
    const waiting = eventOf(watch);
    const reason = new Error("no longer wanted");
    abort.abort(reason);
    await expect(waiting).rejects.toMatchObject({ name: "AbortError", cause: reason });
  },

  "a signal that aborts after the response has no effect": async ({ keySpace, dir }) => {
    const abort = new AbortController();
    const { signal } = abort;
    const key = `${dir}/a`;
    const { node } = await keySpace.execute({ action: "set", key, value: "1" }, { signal });
    abort.abort();
    expect((await keySpace.execute({ action: "get", key })).node).toEqual(node);
  },

  "closing the key space ends its watches, and later calls are refused": async ({
    another,
    dir,
  }) => {
    const keySpace = await another();
    const watch = await keySpace.openWatch({ key: dir, stream: true });
    const waiting = eventOf(watch);
    waiting.catch(() => {});
    const limits = { bufferSize: 10, pollInterval: 60_000 };
    const request = { key: dir, recursive: true, from: "now", state: "none", ...limits } as const;
    const subscription = keySpace.subscribe(request);
    const next = subscription.next();
    next.catch(() => {});
    await subscription.opened;
    await keySpace.close();
    for (const end of [next, keySpace.subscribe(request).next()]) {
      await expect(end).rejects.toMatchObject({ name: "AbortError" });
    }
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
    await expect(keySpace.execute({ action: "get", key: "/" })).rejects.toThrow(/closed/);
    await expect(keySpace.openWatch({ key: dir })).rejects.toThrow(/closed/);
    await keySpace.close();
  },
};
