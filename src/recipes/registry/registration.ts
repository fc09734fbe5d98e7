import type { KeepAlive } from "../lease/keep-alive.js";
import { encodeInstance, idOf } from "./instance.js";

/** An instance that is registered while its process runs. */
export class Registration implements AsyncDisposable {
  /**
   * The key of the instance. It emits `lost` when the instance is no longer registered, and
   * `recreated` when it is registered again. An instance that another process has taken over stays
   * lost.
   */
  readonly keepAlive: KeepAlive;
  readonly #owner: string;

  /** @internal */
  constructor(keepAlive: KeepAlive, owner: string) {
    this.keepAlive = keepAlive;
    this.#owner = owner;
  }

  get key(): string {
    return this.keepAlive.key;
  }

  get id(): string {
    return idOf(this.key);
  }

  /** Changes the metadata. @throws OwnershipLostError when the instance is not registered */
  async update(metadata: unknown): Promise<void> {
    await this.keepAlive.update(encodeInstance(this.#owner, metadata));
  }

  /** Removes the instance: at once, or after its TTL if etcd is unreachable. */
  close(): Promise<void> {
    return this.keepAlive.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
