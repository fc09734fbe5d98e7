import type { CallOptions } from "../../key-space/key-space.js";
import { refuseUnknown } from "../../model/option-names.js";
import { checkKey, checkText } from "../../model/validate.js";
import { linkSignals } from "../../time/follow.js";
import type { Contender } from "../contention/contender.js";
import { ContenderQueue } from "../contention/contender-queue.js";
import type { ContenderQueueState } from "../contention/contender-queue-view.js";
import { type LeaseSettingsOptions, leaseSettingsOf } from "../lease/lease-settings.js";
import type { RecipeClient } from "../shared/recipe-client.js";
import { withDeadline } from "../shared/with-deadline.js";
import { Leadership } from "./leadership.js";

/** Options of {@link Election}. */
export interface ElectionOptions extends LeaseSettingsOptions {
  /**
   * Whole seconds after which a leader or candidate that has died is passed over.
   *
   * @default 10
   */
  readonly ttl?: number;
}

/** Who leads, as observers see it. */
export interface Leader {
  readonly key: string;
  /** What it campaigned with, or proclaimed since. */
  readonly value: string;
  readonly fencingToken: number;
}

/**
 * Elects one leader after the other among those who campaign: a lock that shows who holds it. As
 * with a lock, two may believe for a moment that they lead; their fencing tokens tell who does.
 */
export class Election {
  readonly key: string;
  readonly #etcd: RecipeClient;
  readonly #queue: ContenderQueue;

  /** @throws TypeError for a key or option that makes no sense */
  constructor(etcd: RecipeClient, key: string, options: ElectionOptions = {}) {
    checkKey(key);
    refuseUnknown(options, ["ttl", "safetyMargin"]);
    this.key = key;
    this.#etcd = etcd;
    this.#queue = new ContenderQueue(
      etcd,
      key,
      leaseSettingsOf({ ...options, ttl: options.ttl ?? 10 }),
    );
  }

  /**
   * Waits in line until it is ours to lead; `value` is what observers then see. A candidate whose
   * place is lost meanwhile takes the last place again.
   *
   * @throws AbortError when `signal` aborts, or the client is closed; the candidacy is withdrawn,
   * which takes up to a second more where etcd does not answer
   * @throws NotDirError when a file stands where the election's directory should be
   * @throws ClusterUnavailableError, OutcomeUnknownError when no place could be taken
   */
  async campaign(value: string, options: CallOptions = {}): Promise<Leadership> {
    checkText("value", value);
    refuseUnknown(options, ["signal"]);
    const signals = [options.signal, this.#etcd.closed];
    const limits = { operation: `campaigning at ${this.key}`, signals };
    const contender = await withDeadline(this.#etcd.clock, limits, (signal) =>
      this.#queue.untilFirst(value, signal),
    );
    return new Leadership(contender);
  }

  /** Who leads now, by a linearizable read; `null` when nobody does. */
  async leader(options: CallOptions = {}): Promise<Leader | null> {
    refuseUnknown(options, ["signal"]);
    return leaderOf(await this.#queue.view.read(options.signal));
  }

  /**
   * Who leads now, and then each change: another leader, another value, or `null` for nobody. One who
   * led only while the observer was busy or cut off may be passed over. Ends when `signal` aborts or
   * the client is closed; `return()` waits for the next change, as in every generator.
   */
  async *observe(options: CallOptions = {}): AsyncGenerator<Leader | null, void, undefined> {
    refuseUnknown(options, ["signal"]);
    const either = linkSignals(options.signal, this.#etcd.closed);
    let last: Leader | null | undefined;
    try {
      while (!either.signal.aborted) {
        const state = await this.#queue.view.readWhenAvailable(either.signal);
        const leader = leaderOf(state);
        if (last === undefined || !isSame(leader, last)) yield leader;
        last = leader;
        await this.#queue.view.untilFrontChanges(state, either.signal);
      }
    } catch (error) {
      if (!either.signal.aborted) throw error;
    } finally {
      either.unlink();
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
