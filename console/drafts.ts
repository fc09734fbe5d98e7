import { Emitter } from "./emitter.js";

/** A text that is not saved. */
export interface Draft {
  readonly text: string;
  /** Index of the value that it began with; absent: the key did not exist. */
  readonly index: number | undefined;
  /** The value that it began with. */
  readonly base: string;
}

/** The texts that are not saved, by key. They stay while the page is open, whatever happens to etcd. */
export class Drafts extends Emitter {
  readonly #drafts = new Map<string, Draft>();

  constructor() {
    super();
    addEventListener("beforeunload", (event) => {
      if (this.#drafts.size > 0) event.preventDefault();
    });
  }

  get(key: string): Draft | undefined {
    return this.#drafts.get(key);
  }

  get size(): number {
    return this.#drafts.size;
  }

  set(key: string, draft: Draft): void {
    this.#drafts.set(key, draft);
    this.emit();
  }

  clear(): void {
    this.#drafts.clear();
    this.emit();
  }

  drop(key: string): void {
    if (this.#drafts.delete(key)) this.emit();
  }
}
