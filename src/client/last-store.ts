import type { EtcdServerError } from "../errors/server-error.js";
import type { StoreOrigin } from "../watch/key-watcher.js";

/**
 * Another cluster responded than before. Indexes of the previous cluster are not valid in the new
 * one.
 */
export interface ClusterChange {
  /** ID of the previous cluster. */
  readonly from: string;
  /** ID of the new cluster. */
  readonly to: string;
  /** URL of the endpoint whose response had the new ID. */
  readonly etcdServer: string;
}

/** The store that the last responses came from. */
export class LastStore {
  readonly #onChange: (change: ClusterChange) => void;
  #clusterId: string | undefined;
  #index = 0;

  constructor(onChange: (change: ClusterChange) => void) {
    this.#onChange = onChange;
  }

  get clusterId(): string | undefined {
    return this.#clusterId;
  }

  /** The highest index of the store; 0 before the first response. */
  get index(): number {
    return this.#index;
  }

  observe({ etcdClusterId, etcdIndex, etcdServer }: StoreOrigin): void {
    const from = this.#clusterId;
    if (from !== etcdClusterId && etcdClusterId !== "") {
      this.#clusterId = etcdClusterId;
      this.#index = 0;
      if (from !== undefined) this.#onChange({ from, to: etcdClusterId, etcdServer });
    }
    if (etcdIndex > this.#index) this.#index = etcdIndex;
  }

  observeError({ clusterId, index, endpoint }: EtcdServerError): void {
    if (clusterId === undefined) return;
    this.observe({ etcdClusterId: clusterId, etcdIndex: index, etcdServer: endpoint });
  }
}
