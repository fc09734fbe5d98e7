import { randomUUID } from "node:crypto";
import { OutcomeUnknownError } from "../../errors/cluster-errors.js";
import { OwnershipLostError } from "../../errors/ownership-lost-error.js";
import { sleep } from "../../time/sleep.js";
import { KeepAlive } from "../lease/keep-alive.js";
import type { LeaseSettings } from "../lease/lease-settings.js";
import { lossReasonOf, type RenewalProof } from "../lease/leased-key.js";
import { timestampOf } from "../lease/timestamp.js";
import type { RecipeClient } from "../shared/recipe-client.js";
import { retryUntilAvailable } from "../shared/retry-until-available.js";
import { isOutcomeUncertain } from "../shared/transient-failure.js";
import { contenderValue } from "./contender.js";
import { ContenderQueueView } from "./contender-queue-view.js";
import { OwnContender } from "./own-contender.js";

/** Maximum wait for the deletion of a contender's key. etcd usually deletes a key much faster. */
const LEAVE_TIMEOUT_MS = 1_000;
/** Attempts to create a contender's key while the outcome is unknown. */
const MAX_ATTEMPTS = 5;

/**
 * Contenders for a lock or an election, in the order in which they joined. Each has an in-order key
 * with a TTL in a directory, and watches only its predecessor. The first one holds the lock or leads.
 */
export class ContenderQueue {
  readonly #etcd: RecipeClient;
  readonly #key: string;
  readonly #settings: LeaseSettings;
  /** The queue as all clients see it. */
  readonly view: ContenderQueueView;

  constructor(etcd: RecipeClient, key: string, settings: LeaseSettings) {
    this.#etcd = etcd;
    this.#key = key;
    this.#settings = settings;
    this.view = new ContenderQueueView(etcd, key, settings);
  }

  /**
   * Creates a contender at the end. If the response is lost, searches for the key by its value. If
   * etcd processes the lost request later, the additional key is removed when it is seen, or expires.
   */
  async join(data: string, signal?: AbortSignal): Promise<OwnContender> {
    const id = randomUUID();
    let mayExist = false;
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#tryToJoin(id, data, mayExist, signal);
        } catch (error) {
          mayExist ||= isOutcomeUncertain(error);
          if (!(error instanceof OutcomeUnknownError) || attempt === MAX_ATTEMPTS) throw error;
        }
      }
    } catch (error) {
      if (mayExist) void this.view.removeById(id).catch(() => {});
      throw error;
    }
  }

  /**
   * Joins and waits until it is the first contender. If its key is lost while it waits, it joins
   * again at the end as soon as etcd is available. Most keys are lost while etcd is unavailable.
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

  /** Joins an empty queue. Returns `null` if another contender is in it or joined earlier. */
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
   * Removes a contender and waits up to `LEAVE_TIMEOUT_MS` for the response. Without this wait, the
   * caller could close the client before the request is sent. The next contender would then have to
   * wait for the TTL.
   */
  async #leave(own: OwnContender): Promise<void> {
    const left = new AbortController();
    const leaving = own.leave().finally(() => left.abort());
    leaving.catch(() => {});
    await sleep(LEAVE_TIMEOUT_MS, this.#etcd.clock, left.signal).catch(() => {});
  }

  async #tryToJoin(
    id: string,
    data: string,
    mayExist: boolean,
    signal: AbortSignal | undefined,
  ): Promise<OwnContender> {
    const value = contenderValue(id, data);
    const proof =
      (mayExist ? await this.#find(id, value, signal) : undefined) ??
      (await this.#create(value, signal));
    const { key, modifiedIndex } = proof.node;
    const owned = this.view.owned(key, value, modifiedIndex);
    const keepAlive = new KeepAlive(this.#etcd, owned, proof);
    if (keepAlive.lost === undefined) return new OwnContender(this.view, id, keepAlive, mayExist);
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

  /** Finds and renews the key of a create request whose response was lost. */
  async #find(id: string, value: string, signal?: AbortSignal): Promise<RenewalProof | undefined> {
    const { contenders } = await this.view.read(signal);
    const own = contenders.find((contender) => contender.id === id);
    if (own === undefined) return undefined;
    try {
      return await this.view.owned(own.key, value).refresh(signal);
    } catch (error) {
      if (lossReasonOf(error) === undefined) throw error;
      return undefined;
    }
  }
}
