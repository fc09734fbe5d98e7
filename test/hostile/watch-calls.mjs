// @ts-check
/** The watches of the client. */
import { setTimeout as delay } from "node:timers/promises";
import { limited, readSome } from "./call-context.mjs";
import * as check from "./check-result.mjs";

/** @typedef {import("./call-context.mjs").Context} Context */

/** Calls that wait, or read forever. @type {Record<string, (context: Context) => Promise<unknown>>} */
export const WAITS = {
  "watch once": (context) =>
    limited(context, async (signal) =>
      check.response(await context.client.watchNode("/a", { signal })),
    ),
  "watch once from an index": (context) =>
    limited(context, async (signal) =>
      check.response(
        await context.client.watchNode("/d", { waitIndex: 4, recursive: true, signal }),
      ),
    ),
  watch: (context) => watch(context, "/d", { recursive: true }),
  "watch from an index": (context) => watch(context, "/a", { from: 3 }),
  "watch with the state": (context) =>
    watch(context, "/", { recursive: true, initial: true, pollInterval: 100 }),
  "watch in a namespace": (context) =>
    watch({ ...context, client: context.client.namespace("/d") }, "/", {
      recursive: true,
      initial: true,
    }),
  "open watch": (context) => openWatch(context, { key: "/a", stream: true }),
  "open poll": (context) => openWatch(context, { key: "/d", recursive: true, waitIndex: 3 }),
  subscribe: (context) =>
    limited(context, async (signal) => {
      /** @type {import("../../src/index.js").SubscribeRequest} */
      const request = {
        key: "/d",
        recursive: true,
        from: "state",
        state: "full",
        bufferSize: 10,
        pollInterval: 100,
      };
      const subscription = context.client.keySpace.subscribe(request, { signal });
      subscription.opened.then(check.origin, () => {});
      await readSome(subscription, (item) =>
        check.index(item.type === "resync" ? item.index : item.changes[0]?.etcdIndex, "index"),
      );
    }),
};

/** @param {Context} context @param {string} key @param {import("../../src/index.js").WatchOptions} options */
function watch(context, key, options) {
  return limited(context, async (signal) => {
    const watcher = context.client.watch(key, { ...options, signal });
    await readSome(watcher, (item) => check.watchItem(item, key === "/" ? "" : key));
    watcher.close();
  });
}

/** @param {Context} context @param {import("../../src/index.js").WatchRequest} request */
function openWatch(context, request) {
  return limited(context, async (signal) => {
    const watch = await context.client.keySpace.openWatch(request, { signal });
    check.origin(watch);
    // Nobody reads for a while.
    await delay(30);
    try {
      await readSome(watch, check.response);
    } finally {
      watch.close();
    }
  });
}
