import { setTimeout as delay } from "node:timers/promises";
import { type EtcdClient, EtcdError } from "../../src/index.js";
import type { Change } from "./soak-record.js";

const WRITERS = 20;
const KEYS = 10;

/** Writes at full speed below three directories, and continues after failures. */
export class SoakWriters implements AsyncDisposable {
  /** Writes that etcd acknowledged. */
  readonly acknowledged: Change[] = [];
  readonly #etcd: EtcdClient;
  readonly #working: Promise<unknown>;
  #running = true;
  #failed = 0;

  constructor(etcd: EtcdClient) {
    this.#etcd = etcd;
    this.#working = Promise.all(Array.from({ length: WRITERS }, (_, n) => this.#work(n)));
  }

  get summary(): string {
    return `writers: ${this.acknowledged.length} acknowledged, ${this.#failed} failed or unknown`;
  }

  /** Resolves when etcd has acknowledged `count` more writes. */
  async waitForMore(count: number): Promise<void> {
    const wanted = this.acknowledged.length + count;
    while (this.acknowledged.length < wanted) await delay(10);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#working;
  }

  /** Repeats the write of a key until it is acknowledged. @returns its index */
  async writeLast(key: string): Promise<number> {
    while (!(await this.#try(() => this.#etcd.setNode(key, "last")))) await delay(100);
    return this.acknowledged.at(-1)?.node.modifiedIndex ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#etcd.close();
  }

  async #work(writer: number): Promise<void> {
    for (let n = writer; this.#running; n++) {
      const key = `/soak/${"abc"[n % 3]}/${n % KEYS}`;
      await this.#try(() =>
        n % 7 === 0
          ? this.#etcd.deleteNode(key, { ignoreKeyNotFound: true })
          : this.#etcd.setNode(key, `${writer}.${n}`),
      );
    }
  }

  /** @returns whether the write is known to have succeeded */
  async #try(write: () => Promise<Change | null>): Promise<boolean> {
    try {
      const response = await write();
      if (response !== null) this.acknowledged.push(response);
      return true;
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      this.#failed++;
      await delay(10);
      return false;
    }
  }
}
