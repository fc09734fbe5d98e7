import type { EtcdResponse } from "../../model/response.js";
import type { KeyWatch } from "../key-space.js";

/**
 * A watch that changes the events of another one. A class with few fields: a client can have
 * 10,000 watches.
 */
export abstract class WatchDecorator implements KeyWatch {
  protected readonly watch: KeyWatch;

  constructor(watch: KeyWatch) {
    this.watch = watch;
  }

  get etcdServer(): string {
    return this.watch.etcdServer;
  }

  get etcdClusterId(): string {
    return this.watch.etcdClusterId;
  }

  get etcdIndex(): number {
    return this.watch.etcdIndex;
  }

  get raftIndex(): number {
    return this.watch.raftIndex;
  }

  get raftTerm(): number {
    return this.watch.raftTerm;
  }

  get provenIndex(): number {
    return this.watch.provenIndex;
  }

  close(): void {
    this.watch.close();
  }

  abstract [Symbol.asyncIterator](): AsyncIterator<EtcdResponse, undefined>;
}

/** A watch with other events than the one that it closes. */
export class WatchWithEvents extends WatchDecorator {
  readonly #events: AsyncIterator<EtcdResponse, undefined>;

  constructor(watch: KeyWatch, events: AsyncIterator<EtcdResponse, undefined>) {
    super(watch);
    this.#events = events;
  }

  [Symbol.asyncIterator](): AsyncIterator<EtcdResponse, undefined> {
    return this.#events;
  }
}
