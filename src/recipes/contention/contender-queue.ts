import { randomUUID } from "node:crypto";
import { OutcomeUnknownError } from "../../errors/cluster-errors.js";
import { OwnershipLostError } from "../../errors/ownership-lost-error.js";
import { sleep } from "../../time/sleep.js";
import { KeepAlive } from "../lease/keep-alive.js";
import type { LeaseSettings } from "../lease/lease-settings.js";
import { lossOf, type RenewalProof } from "../lease/leased-key.js";
import { timestampOf } from "../lease/timestamp.js";
import type { RecipeClient } from "../shared/recipe-client.js";
import { retryUntilAvailable } from "../shared/retry-until-available.js";
import { isOutcomeUncertain } from "../shared/transient-failure.js";
import { contenderValue } from "./contender.js";
import { ContenderQueueView } from "./contender-queue-view.js";
import { OwnContender } from "./own-contender.js";

/** Longer than etcd takes to delete a key, and no time to speak of for who has waited. */
const PARTING_MS = 1_000;
/** Tries at a place whose outcome stays unknown. */
const TRIES = 5;

/**
 * Those who wait in a directory, in the order in which they came: each has an in-order key with a
 * TTL, and waits only for the one before it. The first is what a lock's holder or a leader is.
 */
export class ContenderQueue {
  readonly #etcd: RecipeClient;
  readonly #key: string;
  readonly #settings: LeaseSettings;
  /** The line as anybody may see it. */
  readonly view: ContenderQueueView;

  constructor(etcd: RecipeClient, key: string, settings: LeaseSettings) {
    this.#etcd = etcd;
    this.#key = key;
    this.#settings = settings;
    this.view = new ContenderQueueView(etcd, key, settings);
  }

  /**
   * Takes the last place. When the answer is lost, the place is looked for by its value; one that
   * etcd makes only later is removed when it is seen, or goes with its TTL.
   */
  async join(data: string, signal?: AbortSignal): Promise<OwnContender> {
    const id = randomUUID();
    let unsure = false;
    try {
      for (let tries = 1; ; tries++) {
        try {
          return await this.#tryToJoin(id, data, unsure, signal);
        } catch (error) {
          unsure ||= isOutcomeUncertain(error);
          if (!(error instanceof OutcomeUnknownError) || tries === TRIES) throw error;
        }
      }
    } catch (error) {
      if (unsure) void this.view.sweep(id).catch(() => {});
      throw error;
    }
  }

  /**
   * Joins and waits until nobody stands before. Whose place is lost meanwhile takes the last place
   * again, as soon as etcd can be reached: most are lost because it could not.
   */
  async untilFirst(data: string, signal: AbortSignal): Promise<OwnContender> {
    const rejoin = (): Promise<OwnContender> => this.join(data, signal);
    let own = await this.join(data, signal);
    for (;;) {
      try {
        await own.untilFirst(signal);
        return own;
      } catch (error) {
        await this.#leave(own);
        if (signal.aborted || !(error instanceof OwnershipLostError)) throw error;
      }
      own = await retryUntilAvailable(rejoin, this.#etcd.clock, signal);
    }
  }

  /** Joins a line that is empty; `null` when somebody stands there, or was quicker. */
  async joinAsFirst(data: string, signal: AbortSignal): Promise<OwnContender | null> {
    const { contenders } = await this.view.read(signal);
    if (contenders.length > 0) return null;
    const own = await this.join(data, signal);
    let isFirst = false;
    try {
      isFirst = await own.isFirst(signal);
    } finally {
      if (!isFirst) await this.#leave(own);
    }
    return isFirst ? own : null;
  }

  /**
   * Gives a place up, and waits a moment for that: who gives up may close the client next, and
   * whoever stands behind would wait for the TTL.
   */
  async #leave(own: OwnContender): Promise<void> {
    const left = new AbortController();
    const leaving = own.leave().finally(() => left.abort());
    leaving.catch(() => {});
    await sleep(PARTING_MS, this.#etcd.clock, left.signal).catch(() => {});
  }

  async #tryToJoin(
    id: string,
    data: string,
    unsure: boolean,
    signal: AbortSignal | undefined,
  ): Promise<OwnContender> {
    const value = contenderValue(id, data);
    const proof =
      (unsure ? await this.#find(id, value, signal) : undefined) ??
      (await this.#create(value, signal));
    const owned = this.view.owned(proof.node.key, value);
    const keepAlive = new KeepAlive(this.#etcd, owned, proof);
    if (keepAlive.lost === undefined) return new OwnContender(this.view, id, keepAlive, unsure);
    void keepAlive.close().catch(() => {});
    throw keepAlive.lost;
  }

  async #create(value: string, signal: AbortSignal | undefined): Promise<RenewalProof> {
    const { ttl, attemptTimeout } = this.#settings;
    const sentAt = timestampOf(this.#etcd.clock);
    const { node } = await this.#etcd.execute(
      { action: "create", inOrder: true, key: this.#key, value, ttl },
      { signal, attemptTimeout },
    );
    return { sentAt, node };
  }

  /** The place that a create made although its answer was lost. */
  async #find(id: string, value: string, signal?: AbortSignal): Promise<RenewalProof | undefined> {
    const { contenders } = await this.view.read(signal);
    const own = contenders.find((contender) => contender.id === id);
    if (own === undefined) return undefined;
    try {
      return await this.view.owned(own.key, value).refresh(signal);
    } catch (error) {
      if (lossOf(error) === undefined) throw error;
      return undefined;
    }
  }
}
