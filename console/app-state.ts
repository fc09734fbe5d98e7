import type { ChangeEvent, KeyAnswer, ListingPage } from "../src/console/model/page-types.js";
import { Api } from "./api.js";
import { ChangeLog } from "./change-log.js";
import { Drafts } from "./drafts.js";
import { Emitter } from "./emitter.js";
import { KeyState } from "./key-state.js";
import { LiveChanges } from "./live-changes.js";
import { Location } from "./location.js";
import { SessionState } from "./session-state.js";
import { nameOf, parentOf, TreeModel } from "./tree-model.js";

/** Everything that the page shows. */
export class AppState extends Emitter {
  readonly api = new Api();
  readonly session = new SessionState(this.api);
  readonly location = new Location();
  readonly drafts = new Drafts();
  readonly changes = new ChangeLog();
  readonly now = (): number => performance.now();
  readonly key = new KeyState(this.api, this.drafts, this.now);
  readonly tree = new TreeModel(
    (key, listing, from) => this.#readPage(key, listing, from),
    this.now,
  );
  readonly live = new LiveChanges(this.api, {
    onChanges: (changes) => this.#onChanges(changes),
    onGap: (reason) => void this.#onGap(reason),
  });
  /** Why what is shown was read again. */
  gap = "";

  constructor() {
    super();
    this.api.onSessionEnd = () => void this.#onSessionEnd();
    this.location.subscribe(() => void this.#onPlace());
    let last = this.live.connection.state;
    this.live.subscribe(() => {
      const { state } = this.live.connection;
      if (state === "live" && last !== "live" && last !== "connecting") void this.#onReturn();
      last = state;
    });
  }

  /** What could not be read while etcd was away. The watch delivers the changes of everything else. */
  async #onReturn(): Promise<void> {
    await Promise.all([this.tree.readFailed(), this.key.read()]);
  }

  async start(): Promise<void> {
    const [, accessKey] = /^#access=([\w-]+)$/.exec(location.hash) ?? [];
    if (accessKey !== undefined) {
      // It must not stay in the history, nor be shared with the address.
      history.replaceState(null, "", "#/keys");
      this.location.place = { view: "keys", key: "/", query: new URLSearchParams() };
    }
    await this.session.begin(accessKey);
    await this.reconnect();
  }

  /** Watches and reads with the session that there is now. */
  async reconnect(): Promise<void> {
    this.live.stop();
    if (this.session.info === undefined) return;
    await this.live.start();
    if (this.tree.isOpen("/")) await this.tree.reload();
    else await this.tree.open("/");
    this.key.isRead = false;
    await this.#onPlace();
  }

  async #readPage(key: string, listing?: string, from?: number): Promise<ListingPage> {
    return await this.api.get<ListingPage>("children", { key, listing, from });
  }

  #onChanges(changes: readonly ChangeEvent[]): void {
    this.tree.apply(changes);
    this.key.onChanges(changes);
    this.changes.add(changes);
  }

  async #onGap(reason: string): Promise<void> {
    this.gap = reason;
    this.changes.miss();
    this.emit();
    await Promise.all([this.tree.reload(), this.key.read()]);
  }

  dismissGap(): void {
    this.gap = "";
    this.emit();
  }

  async #onSessionEnd(): Promise<void> {
    if (this.session.info?.user !== undefined) this.#forget();
    await this.session.renew();
    await this.reconnect();
  }

  /** Nothing of what the user has seen stays for the next one. */
  async signOut(): Promise<void> {
    this.live.stop();
    await this.session.signOut();
    this.drafts.clear();
    this.#forget();
    await this.reconnect();
  }

  #forget(): void {
    this.changes.clear();
    this.tree.clear();
    this.key.forget();
  }

  async #onPlace(): Promise<void> {
    const { view, key } = this.location.place;
    if (view !== "keys" || this.session.info === undefined) return;
    await Promise.all([this.key.show(key), this.reveal(key)]);
    if (this.key.key === key && this.key.node?.dir) await this.tree.open(key);
  }

  /** Reads the TTL of a key that should have expired. */
  async checkTtl(key: string): Promise<void> {
    if (this.live.connection.state !== "live") return;
    try {
      const { node } = await this.api.get<KeyAnswer>("key", { key });
      this.tree.setTtl(key, node?.ttl);
      if (this.key.key === key) await this.key.read();
    } catch {
      // The connection says why.
    }
  }

  /**
   * Opens the directories above a key, and shows the nodes on the way that no listing has: hidden ones, and those in a
   * directory that the user may not read.
   */
  async reveal(key: string): Promise<void> {
    const path: string[] = [];
    for (let each = key; each !== "/"; each = parentOf(each)) path.unshift(each);
    for (const each of path) {
      const isListed = !nameOf(each).startsWith("_") && !this.tree.isUnreadable(parentOf(each));
      if (!isListed) await this.#pin(each);
      if (each !== key) await this.tree.open(each);
    }
  }

  async #pin(key: string): Promise<void> {
    try {
      const { node } = await this.api.get<KeyAnswer>("key", { key });
      if (node !== undefined) this.tree.pin(node);
    } catch {
      // The view of the key says why.
    }
  }
}
