import type { ChangeEvent } from "../src/console/model/page-types.js";
import { Emitter } from "./emitter.js";
import { isBelow } from "./tree-model.js";

const MAX_CHANGES = 5_000;

/** A change, and when it arrived. */
export interface LoggedChange {
  readonly change: ChangeEvent;
  readonly at: Date;
}

export interface ChangeFilter {
  /** A key; what is below it counts, too. */
  readonly key: string;
  /** Empty: every action. */
  readonly action: string;
  /** In the key or the value. */
  readonly text: string;
}

/** The changes since the page was opened, as far as they are kept. */
export class ChangeLog extends Emitter {
  readonly since = new Date();
  #changes: LoggedChange[] = [];
  /** Whether changes before the first one were dropped, or missed. */
  isCut = false;

  add(changes: readonly ChangeEvent[]): void {
    const at = new Date();
    for (const change of changes) this.#changes.push({ change, at });
    if (this.#changes.length > MAX_CHANGES) {
      this.#changes.splice(0, this.#changes.length - MAX_CHANGES);
      this.isCut = true;
    }
    this.emit();
  }

  miss(): void {
    this.isCut = true;
    this.emit();
  }

  clear(): void {
    this.#changes = [];
    this.emit();
  }

  /** The newest first. */
  find({ key, action, text }: ChangeFilter): readonly LoggedChange[] {
    const isWanted = ({ change }: LoggedChange): boolean =>
      (key === "/" || change.key === key || isBelow(change.key, key)) &&
      (action === "" || change.action === action) &&
      (text === "" || change.key.includes(text) || (change.value ?? "").includes(text));
    return this.#changes.filter(isWanted).reverse();
  }

  /** Index of the last change below a directory; 0: none. */
  below(directory: string): number {
    const last = this.#changes.findLast(({ change }) => isBelow(change.key, directory));
    return last?.change.index ?? 0;
  }

  of(key: string): readonly LoggedChange[] {
    return this.#changes.filter(({ change }) => change.key === key).reverse();
  }
}
