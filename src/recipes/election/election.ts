import type { CallOptions } from "../../key-space/call-options.js";
import { refuseUnknown } from "../../model/option-names.js";
import { checkKey, checkText } from "../../model/validate.js";
import { linkSignals } from "../../time/link-signals.js";
import type { Contender } from "../contention/contender.js";
import { ContenderQueue } from "../contention/contender-queue.js";
import type { ContenderQueueState } from "../contention/contender-queue-view.js";
import { type LeaseOptions, leaseSettingsOf } from "../lease/lease-settings.js";
import type { RecipeClient } from "../shared/recipe-client.js";
import { withDeadline } from "../shared/with-deadline.js";
import { Leadership } from "./leadership.js";

/** Options of {@link Election}. */
export interface ElectionOptions extends LeaseOptions {
  /**
   * Whole seconds after which the key of a leader or candidate that has died expires.
   *
   * @default 10
   */
  readonly ttl?: number | undefined;
}

/** The leader as observers see it. */
export interface Leader {
  readonly key: string;
  /** The value that it passed to `campaign`, or later to `proclaim`. */
  readonly value: string;
  readonly fencingToken: number;
}

/**
 * Elects one leader at a time among those that campaign. Observers see the leader's value. As with a
 * lock, two processes may believe for a moment that they lead. Only the one with the higher fencing
 * token leads.
 *
 * @example
 * const leadership = await etcd.election("/election/mail").campaign("host-1");
 * console.log("leading, with token", leadership.fencingToken);
 * await leadership.resign();
 */
export class Election {
  readonly key: string;
  readonly #etcd: RecipeClient;
  readonly #queue: ContenderQueue;

  /** @throws TypeError for an invalid key or option */
  constructor(etcd: RecipeClient, key: string, options: ElectionOptions = {}) {
    checkKey(key);
    refuseUnknown(options, { ttl: true, safetyMargin: true });
    this.key = key;
    this.#etcd = etcd;
    this.#queue = new ContenderQueue(
      etcd,
      key,
      leaseSettingsOf({ ...options, ttl: options.ttl ?? 10 }),
    );
  }

  /**
   * Waits in a queue until this process leads. Observers then see `value`. If the candidate's key is
   * lost while it waits, it joins again at the end of the queue.
   *
   * @throws AbortError when `signal` aborts, or the client is closed. The candidacy is withdrawn
   * first, which takes up to a second if etcd does not respond
   * @throws NotDirError when `key` or a parent of it is a file
   * @throws ClusterUnavailableError, OutcomeUnknownError when the candidate's key could not be created
   */
  async campaign(value: string, options: CallOptions = {}): Promise<Leadership> {
    checkText("value", value);
    refuseUnknown(options, { signal: true });
    const signals = [options.signal, this.#etcd.closed];
    const limits = { operation: `campaigning at ${this.key}`, signals };
    const contender = await withDeadline(this.#etcd.clock, limits, (signal) =>
      this.#queue.untilFirst(value, signal),
    );
    return new Leadership(contender);
  }

  /** Reads the leader (linearizable); `null` when there is none. */
  async leader(options: CallOptions = {}): Promise<Leader | null> {
    refuseUnknown(options, { signal: true });
    return leaderOf(await this.#queue.view.read(options.signal));
  }

  /**
   * Yields the leader, and then each change: another leader, another value, or `null` for no leader.
   * A leader whose term ended while the observer was busy or disconnected may be left out. Ends when
   * `signal` aborts or the client is closed. `return()` waits for the next change, as in every
   * generator.
   */
  async *observe(options: CallOptions = {}): AsyncGenerator<Leader | null, void, undefined> {
    refuseUnknown(options, { signal: true });
    const linked = linkSignals(options.signal, this.#etcd.closed);
    let last: Leader | null | undefined;
    try {
      while (!linked.signal.aborted) {
        const state = await this.#queue.view.readWhenAvailable(linked.signal);
        const leader = leaderOf(state);
        if (last === undefined || !isSame(leader, last)) yield leader;
        last = leader;
        await this.#queue.view.untilFrontChanges(state, linked.signal);
      }
    } catch (error) {
      if (!linked.signal.aborted) throw error;
    } finally {
      linked.unlink();
    }
  }
}

function leaderOf({ contenders: [first] }: ContenderQueueState): Leader | null {
  return first === undefined ? null : asLeader(first);
}

function asLeader({ key, data, createdIndex }: Contender): Leader {
  return { key, value: data, fencingToken: createdIndex };
}

function isSame(a: Leader | null, b: Leader | null): boolean {
  return a?.key === b?.key && a?.value === b?.value;
}
