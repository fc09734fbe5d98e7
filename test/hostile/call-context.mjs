// @ts-check
/** What each call of the fuzz test gets, and how calls without an end are limited. */
import { setTimeout as delay } from "node:timers/promises";

/** @typedef {import("../../src/index.js").EtcdClient} Client */
/** @typedef {typeof import("../../src/index.js")} Library */
/** @typedef {typeof import("../../src/server/index.js")} Server */

/**
 * @typedef {object} Context
 * @property {Client} client
 * @property {AbortSignal} signal aborts when the caller gives up
 * @property {Record<string, unknown>} options those of the client
 * @property {Library} library
 * @property {Server} server
 */

/** Milliseconds that a call without a timeout of its own may take. */
export const LIMIT_MS = 400;
/** Items that are read from an endless sequence. */
const ITEMS = 5;

/**
 * Ends a call after a while. Not by AbortSignal.any: Node 20 may forget its signals.
 *
 * @template T @param {Context} context @param {(limit: AbortSignal) => Promise<T>} start
 */
export async function limited({ signal }, start) {
  const limit = new AbortController();
  const abort = () => limit.abort();
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  const timer = setTimeout(abort, LIMIT_MS);
  try {
    return await start(limit.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

/** Reads some items. @param {AsyncIterable<any>} items @param {(item: any) => void} checkItem */
export async function readSome(items, checkItem) {
  let count = 0;
  for await (const item of items) {
    checkItem(item);
    if (++count === ITEMS) return;
    await delay(count);
  }
}

/** The ownership may be lost at any time. @param {Context} context */
export function ignoreDocumented({ library }) {
  return (/** @type {unknown} */ error) => {
    if (!library.isEtcdError(error) && !(error instanceof library.AbortError)) throw error;
  };
}
