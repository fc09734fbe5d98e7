import { offAbort, onAbort } from "../../stream/on-abort.js";
import type { Clock } from "../../time/clock.js";
import { OverloadError } from "../http/message.js";
import { RecentMap } from "./recent-map.js";

/** Maximum number of waiting checks. Above it, the oldest check of the client with the most checks is refused. */
const MAX_WAITING = 1_000;
const MAX_WAIT_MS = 10_000;
/** Number of clients whose last turn is kept. */
const MAX_CLIENTS = 10_000;

/** A check to run. */
export interface CheckRequest {
  /** Clients take turns. */
  readonly client: string;
  /** Aborts when no request waits for the result. */
  readonly signal: AbortSignal;
  /** Among the checks of one client, the one with the lowest cost runs first. */
  cost(): number;
  /** Milliseconds until the check may begin; 0: now. */
  delay(): number;
  run(): Promise<boolean>;
}

/** A check that waits. */
interface Check {
  readonly request: CheckRequest;
  readonly resolve: (result: Promise<boolean>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs a few checks at a time. Clients take turns, so that a client with many checks does not delay the
 * others: the client whose last failed check is the longest ago is served first.
 */
export class CheckQueue {
  readonly #clock: Clock;
  readonly #concurrency: number;
  /** By client, in the order of arrival. The lists are never empty. */
  readonly #waiting = new Map<string, Check[]>();
  /** Number of the last turn of each client. Absent: no turn yet, or the last check returned true. */
  readonly #lastTurns = new RecentMap<number>(MAX_CLIENTS);
  #turns = 0;
  #size = 0;
  #running = 0;
  #cancelTimer: () => void = () => {};

  /** @param concurrency maximum number of checks at the same time */
  constructor(concurrency: number, clock: Clock) {
    this.#concurrency = concurrency;
    this.#clock = clock;
  }

  /**
   * Runs a check when its turn comes, and returns its result.
   *
   * @throws OverloadError when the check has waited for 10 s, or when too many checks wait; the reason of
   *   the signal when it aborts before the turn
   */
  run(request: CheckRequest): Promise<boolean> {
    const { signal } = request;
    let stop = (): void => {};
    const result = new Promise<boolean>((resolve, reject) => {
      const check: Check = { request, resolve, reject };
      const leave = (): void => this.#refuse(check, signal.reason);
      const cancelTimer = this.#clock.after(MAX_WAIT_MS, () => this.#refuse(check));
      stop = () => {
        cancelTimer();
        offAbort(signal, leave);
      };
      onAbort(signal, leave);
      this.#add(check);
      this.#next();
    });
    return result.finally(stop);
  }

  #add(check: Check): void {
    const { client } = check.request;
    const checks = this.#waiting.get(client);
    if (checks === undefined) this.#waiting.set(client, [check]);
    else checks.push(check);
    if (++this.#size <= MAX_WAITING) return;
    const [oldest] = [...this.#waiting.values()].reduce((a, b) => (b.length > a.length ? b : a));
    if (oldest !== undefined) this.#refuse(oldest);
  }

  #refuse(check: Check, reason: unknown = new OverloadError()): void {
    if (this.#remove(check)) check.reject(reason);
  }

  /** Whether the check was waiting. */
  #remove(check: Check): boolean {
    const { client } = check.request;
    const checks = this.#waiting.get(client) ?? [];
    const at = checks.lastIndexOf(check);
    if (at === -1) return false;
    checks.splice(at, 1);
    this.#size--;
    if (checks.length === 0) this.#waiting.delete(client);
    return true;
  }

  #next(): void {
    this.#cancelTimer();
    while (this.#running < this.#concurrency && this.#size > 0) {
      const check = this.#first();
      if (check === undefined) {
        this.#cancelTimer = this.#clock.after(this.#shortestDelay(), () => this.#next());
        return;
      }
      this.#remove(check);
      check.resolve(this.#start(check.request));
    }
  }

  async #start(request: CheckRequest): Promise<boolean> {
    this.#running++;
    this.#lastTurns.set(request.client, ++this.#turns);
    try {
      const result = await request.run();
      if (result) this.#lastTurns.delete(request.client);
      return result;
    } finally {
      this.#running--;
      this.#next();
    }
  }

  /** The check to run next; among clients without a previous turn, the newest client. */
  #first(): Check | undefined {
    let first: Check | undefined;
    let earliest = Number.POSITIVE_INFINITY;
    for (const [client, checks] of this.#waiting) {
      const lastTurn = this.#lastTurns.get(client) ?? 0;
      if (lastTurn > earliest) continue;
      const check = cheapest(checks.filter(({ request }) => request.delay() === 0));
      if (check !== undefined) [first, earliest] = [check, lastTurn];
    }
    return first;
  }

  #shortestDelay(): number {
    const delays = [...this.#waiting.values()].flat().map(({ request }) => request.delay());
    return delays.reduce((a, b) => Math.min(a, b));
  }
}

/**
 * Returns the check with the lowest cost. Of several, the newest: otherwise a new check would wait behind
 * all checks of a flood.
 */
function cheapest(checks: readonly Check[]): Check | undefined {
  return checks.reduce<Check | undefined>(
    (best, each) => (best && best.request.cost() < each.request.cost() ? best : each),
    undefined,
  );
}
