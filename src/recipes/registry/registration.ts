import type { KeepAlive } from "../lease/keep-alive.js";
import { encodeInstance, idOf } from "./instance.js";

/** An instance that is registered while its process lives. */
export class Registration implements AsyncDisposable {
  /**
   * The key behind it: tells by `lost` when the instance is not registered any more, and by
   * `recreated` when it is again. One that another has taken over stays lost.
   */
  readonly keepAlive: KeepAlive;
  readonly #owner: string;

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

  /** Changes the metadata. @throws OwnershipLostError when the instance is not registered now */
  async update(metadata: unknown): Promise<void> {
    await this.keepAlive.update(encodeInstance(this.#owner, metadata));
  }

  /** Takes the instance out. Where etcd is out of reach, it goes with its TTL. */
  close(): Promise<void> {
    return this.keepAlive.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
