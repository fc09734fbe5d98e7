import { isCount } from "../wire/json.js";
import { type ClientUse, clientUsesIn } from "./client-use.js";
import { objectIn } from "./cutover-state.js";

/** Writes of which a gateway remembers the index. */
const MAX_CLAIMS = 50_000;

/** What a gateway says about its writes on v2 after an index. */
export interface Claims {
  /** The census that asks. */
  readonly census: string;
  /** How often the gateway has responded to a census. */
  readonly round: number;
  /** Indexes of its writes. */
  readonly indexes: readonly number[];
  /** Writes whose outcome is unknown, since the gateway was started. */
  readonly unknown: number;
  /** Whether these are all its writes: it does not remember every one. */
  readonly isComplete: boolean;
  /** Who has used the gateway. */
  readonly clients: readonly ClientUse[];
}

/** The latest writes of a gateway on v2, so that changes of others can be told from them. */
export class OwnWrites {
  #indexes: number[] = [];
  /** Index up to which writes are no longer remembered. */
  #forgotten = 0;
  #unknown = 0;
  #round = 0;

  add(index: number): void {
    this.#indexes.push(index);
    if (this.#indexes.length < 2 * MAX_CLAIMS) return;
    const old = this.#indexes.splice(0, MAX_CLAIMS);
    // Responses may come in another order than their indexes.
    for (const each of old) this.#forgotten = Math.max(this.#forgotten, each);
  }

  addUnknown(): void {
    this.#unknown++;
  }

  /** @param since index after which writes count */
  claims({ id, since }: Census): Omit<Claims, "clients"> {
    const all = this.#indexes.filter((index) => index > since);
    return {
      census: id,
      round: ++this.#round,
      indexes: all.slice(0, MAX_CLAIMS),
      unknown: this.#unknown,
      isComplete: all.length <= MAX_CLAIMS && this.#forgotten <= since,
    };
  }
}

/** Asks all gateways for the indexes of their writes. */
export interface Census {
  readonly id: string;
  /** Index of v2 after which writes count. */
  readonly since: number;
}

export function encodeCensus({ id, since }: Census): string {
  return JSON.stringify({ id, since });
}

/** `undefined` for a text that {@link encodeCensus} has not made. */
export function decodeCensus(text: string): Census | undefined {
  const { id, since } = objectIn(text);
  return typeof id === "string" && isCount(since) ? { id, since } : undefined;
}

export function encodeClaims(claims: Claims): string {
  return JSON.stringify(claims);
}

/** `undefined` for a text that {@link encodeClaims} has not made. */
export function decodeClaims(text: string): Claims | undefined {
  const { census, round, indexes, unknown, isComplete, clients } = objectIn(text);
  if (typeof census !== "string" || typeof isComplete !== "boolean") return undefined;
  if (!isCount(round) || !isCount(unknown)) return undefined;
  if (!Array.isArray(indexes) || !indexes.every(isCount)) return undefined;
  return { census, round, indexes, unknown, isComplete, clients: clientUsesIn(clients) };
}
