import type {
  ChangeEvent,
  KeyAnswer,
  RemoveRequest,
  SaveRequest,
  ShownNode,
  WriteAnswer,
} from "../src/console/model/page-types.js";
import { type Api, ApiError, isOutage, messageOf } from "./api.js";
import type { Drafts } from "./drafts.js";
import { Emitter } from "./emitter.js";
import { endOf, isBelow } from "./tree-model.js";

/** What became of the last attempt to save. */
export type SaveResult =
  | { readonly state: "saving" }
  | { readonly state: "saved" }
  /** Another value was saved since the editing began; nothing was overwritten. */
  | { readonly state: "conflict" }
  | { readonly state: "failed"; readonly message: string };

/** The key that is shown. */
export class KeyState extends Emitter {
  readonly #api: Api;
  readonly #drafts: Drafts;
  readonly #now: () => number;
  key = "/";
  /** `undefined`: it does not exist, or was not read yet. */
  node: ShownNode | undefined;
  isRead = false;
  failure = "";
  /** Whether etcd refuses the user, or that there is none. */
  isRefused = false;
  /** Milliseconds of the page's clock. */
  endsAt: number | undefined;
  /** When a change arrived while it was shown; 0: none has. */
  changedAt = 0;
  result: SaveResult | undefined;
  #reads = 0;

  constructor(api: Api, drafts: Drafts, now: () => number) {
    super();
    this.#api = api;
    this.#drafts = drafts;
    this.#now = now;
  }

  async show(key: string): Promise<void> {
    if (key === this.key && this.isRead) return;
    this.key = key;
    this.node = undefined;
    this.isRead = false;
    this.changedAt = 0;
    this.result = undefined;
    await this.read();
  }

  forget(): void {
    this.node = undefined;
    this.isRead = false;
    this.#reads++;
    this.emit();
  }

  async read(): Promise<void> {
    const { key } = this;
    const number = ++this.#reads;
    this.failure = "";
    this.isRefused = false;
    this.emit();
    try {
      const { node } = await this.#api.get<KeyAnswer>("key", { key });
      if (number !== this.#reads) return;
      this.#take(node);
    } catch (error) {
      if (number !== this.#reads) return;
      this.failure = messageOf(error);
      this.isRefused = error instanceof ApiError && error.status === 401;
      if (this.isRefused) this.node = undefined;
    }
    this.emit();
  }

  #take(node: ShownNode | undefined): void {
    this.node = node;
    this.isRead = true;
    this.endsAt = endOf(node?.ttl, this.#now());
  }

  onChanges(changes: readonly ChangeEvent[]): void {
    const { key, node } = this;
    const own = changes.findLast((change) => change.key === key);
    const isRemovedAbove = changes.some((change) => change.isRemoved && isBelow(key, change.key));
    const isFilled = changes.some((change) => isBelow(change.key, key));
    const isNews = own !== undefined && own.index > (node?.modifiedIndex ?? 0);
    // A directory shows how many children it has.
    if (!isNews && !isRemovedAbove && !(isFilled && (node === undefined || node.dir))) return;
    if (isNews) this.changedAt = this.#now();
    void this.read();
  }

  /** Saves the draft, if the key is still as it was when the editing began. */
  async save(): Promise<void> {
    const { key } = this;
    const draft = this.#drafts.get(key);
    if (draft === undefined) return;
    const { text: value, index } = draft;
    this.#report(key, { state: "saving" });
    try {
      const request: SaveRequest = { key, value, index };
      await this.#api.post<WriteAnswer>("save", request);
      this.#drafts.drop(key);
      this.#report(key, { state: "saved" });
    } catch (error) {
      this.#report(key, await this.#resultOf(error, key, value));
    }
    if (this.key === key) await this.read();
  }

  async #resultOf(error: unknown, key: string, value: string): Promise<SaveResult> {
    const name = error instanceof ApiError ? error.name : "";
    if (["TestFailedError", "NodeExistError", "KeyNotFoundError"].includes(name)) {
      return { state: "conflict" };
    }
    const message = messageOf(error);
    // The write may have arrived before the connection broke.
    if (!isOutage(error) || !(await this.#has(key, value))) return { state: "failed", message };
    this.#drafts.drop(key);
    return { state: "saved" };
  }

  async #has(key: string, value: string): Promise<boolean> {
    try {
      const { node } = await this.#api.get<KeyAnswer>("key", { key });
      return node?.value === value;
    } catch {
      return false;
    }
  }

  #report(key: string, result: SaveResult | undefined): void {
    if (this.key !== key) return;
    this.result = result;
    this.emit();
  }

  dismiss(): void {
    this.result = undefined;
    this.emit();
  }

  /** Removes the key as it is shown. */
  async remove(): Promise<void> {
    const { key, node } = this;
    if (node === undefined) return;
    try {
      const request: RemoveRequest = { key, dir: node.dir, index: node.modifiedIndex };
      await this.#api.post<WriteAnswer>("remove", request);
      this.#drafts.drop(key);
      this.result = undefined;
    } catch (error) {
      const isConflict = error instanceof ApiError && error.name === "TestFailedError";
      const conflict = "The key has changed meanwhile, so it was not deleted.";
      this.result = { state: "failed", message: isConflict ? conflict : messageOf(error) };
    }
    if (this.key === key) await this.read();
  }
}
