import { randomUUID } from "node:crypto";
import type { EtcdClient } from "../client/etcd-client.js";
import { CutoverError } from "../errors/cutover-error.js";
import { readIndex } from "../key-space/shared/read-state.js";
import type { Subscription } from "../key-space/subscription.js";
import type { Action } from "../model/response.js";
import { sleep } from "../time/sleep.js";
import type { Census, Claims } from "./claims.js";
import { type ClientUse, summed } from "./client-use.js";
import type { CutoverTarget } from "./open-target.js";

/** Seconds after which gateways no longer respond to a census whose process has stopped. */
const SPARE_S = 60;
/** Time for the responses of all gateways. Each responds every two seconds. */
const RESPONSE_MS = 20_000;
const POLL_MS = 200;
/** A response may have been prepared before it was asked for, so the second one counts. */
const ROUNDS = 2;
/** Changes of others that are shown. */
const MAX_SHOWN = 10;

/** A change of v2, without its value: thousands of them are remembered. */
interface SeenChange {
  readonly action: Action;
  readonly key: string;
  readonly index: number;
}

/** Who has changed v2 during some seconds. */
export interface CensusResult {
  /** Changes of v2, including keys that have expired. */
  readonly changes: number;
  /** Changes of visible keys that no gateway has made; the last ones are in `shown`. */
  readonly foreign: number;
  readonly shown: readonly SeenChange[];
  /** Other changes that no gateway has made: of hidden keys, refreshes of TTLs, or changes of etcd itself. */
  readonly silent: number;
  /** Writes of gateways whose outcome is unknown. They may be among those of others. */
  readonly unknown: number;
  /** Who has used the gateways since they were started, the most active ones first. */
  readonly clients: readonly ClientUse[];
}

/**
 * Finds out whether others than the registered gateways change v2: each index of v2 must be that of a write of a
 * gateway, or of a key that has expired.
 *
 * @param duration milliseconds @param signal ends it early
 * @throws CutoverError when a gateway does not respond
 */
export async function takeCensus(
  source: EtcdClient,
  target: CutoverTarget,
  duration: number,
  signal?: AbortSignal,
): Promise<CensusResult> {
  const { records, clock } = target;
  await using seen = new SeenChanges(source);
  const since = await seen.opened();
  const census: Census = { id: randomUUID(), since };
  await records.askForClaims(census, Math.ceil(duration / 1000) + SPARE_S);
  const first = await responses(target, census, new Map(), signal);
  await sleep(duration, clock, signal);
  const { index: end } = await readIndex(source.keySpace, {});
  await seen.reached(end);
  // What gateways have prepared until now may not include their last writes.
  const last = await responses(target, census, await records.claims(census), signal);
  if ([...first.keys()].some((id) => !last.has(id))) {
    throw new CutoverError(
      "a gateway was restarted or lost v3 meanwhile, so its writes are not known",
    );
  }
  const claims = [...last.values()];
  if (claims.some(({ isComplete }) => !isComplete)) {
    throw new CutoverError("gateways write too much to be counted; choose a shorter time");
  }
  const own = new Set(claims.flatMap(({ indexes }) => indexes));
  const foreign = seen.changes.filter(
    ({ action, index }) => action !== "expire" && index <= end && !own.has(index),
  );
  const known = new Set([...own, ...seen.changes.map(({ index }) => index)]);
  let unknown = 0;
  for (const [id, { unknown: count }] of last) unknown += count - (first.get(id)?.unknown ?? count);
  return {
    changes: end - since,
    foreign: foreign.length,
    shown: foreign.slice(-MAX_SHOWN),
    silent: end - since - [...known].filter((index) => index <= end).length,
    unknown,
    clients: summed(claims.flatMap(({ clients }) => clients)),
  };
}

/** The changes of visible keys. */
class SeenChanges implements AsyncDisposable {
  readonly changes: SeenChange[] = [];
  readonly #subscription: Subscription;
  readonly #ended: Promise<void>;
  #failure: unknown;

  constructor({ keySpace }: EtcdClient) {
    const request = { key: "/", recursive: true, from: "now", state: "none" } as const;
    const limits = { bufferSize: 10_000, pollInterval: POLL_MS };
    this.#subscription = keySpace.subscribe({ ...request, ...limits });
    this.#ended = this.#read();
  }

  /** Index after which all changes are seen. @throws Error when v2 cannot be watched */
  async opened(): Promise<number> {
    return (await this.#subscription.opened).etcdIndex;
  }

  /** Resolves when all changes up to an index were seen. @throws CutoverError */
  async reached(index: number): Promise<void> {
    try {
      const signal = AbortSignal.timeout(RESPONSE_MS);
      await this.#subscription.reached(index, { signal });
    } catch (error) {
      throw this.#failure ?? error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription.close();
    await this.#ended;
  }

  async #read(): Promise<void> {
    try {
      for await (const item of this.#subscription) {
        if (item.type === "resync") {
          throw new CutoverError("v2 changes too fast to be counted; choose a shorter time");
        }
        for (const { action, node } of item.changes) {
          this.changes.push({ action, key: node.key, index: node.modifiedIndex });
        }
      }
    } catch (error) {
      this.#failure = error;
      this.#subscription.close();
    }
  }
}

/**
 * Waits until every registered gateway has responded again.
 *
 * @param before its last response, by the ID of the gateway
 * @returns the responses of registered gateways
 * @throws CutoverError when one does not respond
 */
async function responses(
  { records, clock }: CutoverTarget,
  census: Census,
  before: ReadonlyMap<string, Claims>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Claims>> {
  const deadline = clock.monotonic() + RESPONSE_MS;
  for (;;) {
    const [gateways, claims] = await Promise.all([records.gateways(), records.claims(census)]);
    const late = gateways.filter(({ id }) => {
      const round = before.get(id)?.round;
      const now = claims.get(id)?.round ?? 0;
      return now < (round === undefined ? 1 : round + ROUNDS);
    });
    if (late.length === 0) {
      const registered = new Set(gateways.map(({ id }) => id));
      return new Map([...claims].filter(([id]) => registered.has(id)));
    }
    if (clock.monotonic() > deadline) {
      const urls = late.map(({ url }) => url).join(", ");
      throw new CutoverError(`no response to the census from ${urls}`);
    }
    await sleep(POLL_MS, clock, signal);
  }
}
