import { KeyNotFoundError } from "../../errors/common-errors.js";
import type { Terms } from "../lease/lease-settings.js";
import { OwnedKey } from "../lease/leased-key.js";
import type { RecipeClient } from "../shared/recipe-client.js";
import { patiently } from "../shared/retry-until-available.js";
import { type Standing, standingsIn } from "./contender.js";

/** A line as it was at an index. */
export interface LineState {
  readonly standings: readonly Standing[];
  readonly index: number;
}

/** What can be seen of a line, and what can be done to the places in it. */
export class LineView {
  readonly #etcd: RecipeClient;
  readonly #key: string;
  readonly #terms: Terms;

  constructor(etcd: RecipeClient, key: string, terms: Terms) {
    this.#etcd = etcd;
    this.#key = key;
    this.#terms = terms;
  }

  /** Reads the line with quorum. A line that nobody ever joined is empty. */
  async read(signal?: AbortSignal): Promise<LineState> {
    try {
      const { node, etcdIndex } = await this.#etcd.execute(
        { action: "get", key: this.#key, quorum: true },
        { signal, attemptTimeout: this.#terms.attemptTimeout },
      );
      return { standings: standingsIn(node), index: etcdIndex };
    } catch (error) {
      if (!(error instanceof KeyNotFoundError)) throw error;
      return { standings: [], index: error.index };
    }
  }

  /** Reads the line as soon as etcd can answer. */
  readPatiently(signal: AbortSignal): Promise<LineState> {
    return patiently(() => this.read(signal), this.#etcd.clock, signal);
  }

  /** Waits until something happens to the first, or while there is none, until somebody comes. */
  untilFrontChanges({ standings: [first], index }: LineState, signal: AbortSignal): Promise<void> {
    return this.untilChange(first ?? { key: this.#key, recursive: true }, index, signal);
  }

  /** Waits until something happens to a key after an index. */
  async untilChange(
    { key, recursive = false }: { readonly key: string; readonly recursive?: boolean },
    index: number,
    signal: AbortSignal,
  ): Promise<void> {
    const watcher = this.#etcd.watch(key, { recursive, from: index + 1, signal });
    try {
      await watcher.next();
    } finally {
      watcher.close();
    }
  }

  /** Removes whatever has this id. */
  async sweep(id: string): Promise<void> {
    const { standings } = await this.read();
    await this.remove(standings.filter((standing) => standing.id === id));
  }

  async remove(standings: readonly Standing[]): Promise<void> {
    const owned = standings.map(({ key, value }) => this.owned(key, value));
    await Promise.all(owned.map((key) => key.remove()));
  }

  /** The requests by which a place is owned. */
  owned(key: string, value: string): OwnedKey {
    return new OwnedKey(this.#etcd, key, value, this.#terms);
  }
}
