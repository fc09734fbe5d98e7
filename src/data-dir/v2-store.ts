import { Store, type StoreSnapshot } from "../key-space/memory/store.js";
import type { SnapshotNode } from "../key-space/memory/store-walk.js";
import { StoreError } from "../key-space/shared/store-error.js";
import type { KeyRequest } from "../model/key-request.js";

/** Directories that no request can change, as in etcd. */
const READ_ONLY: ReadonlySet<string> = new Set(["", "/0", "/1"]);

const EMPTY: StoreSnapshot = {
  index: 0,
  nodes: [
    ["/0", null, 0, 0, null],
    ["/1", null, 0, 0, null],
  ],
};

/**
 * etcd's v2 store: the members and the version of the cluster below `/0`, the keys below `/1`, users and
 * roles below `/2`. All share one index.
 *
 * Keys and values are bytes, which etcd does not check. They are strings with one character per byte.
 */
export class V2Store {
  readonly #store: Store;

  constructor(snapshot: StoreSnapshot = EMPTY) {
    this.#store = Store.restore(snapshot, { maxLevels: Number.POSITIVE_INFINITY });
  }

  /** Index of the last change: etcd's `X-Etcd-Index`. */
  get index(): number {
    return this.#store.index;
  }

  /** All nodes except the root. */
  get nodes(): readonly SnapshotNode[] {
    return this.#store.snapshot().nodes;
  }

  /** The value of a file. */
  value(path: string): string | undefined {
    if (!this.#store.has(path)) return undefined;
    return this.#store.apply({ action: "get", key: path }, 0).node.value;
  }

  isDirectory(path: string): boolean {
    if (!this.#store.has(path)) return false;
    return this.#store.apply({ action: "get", key: path }, 0).node.dir === true;
  }

  /** Names of the children of a directory. */
  children(path: string): readonly string[] {
    if (!this.#store.has(path)) return [];
    const { node } = this.#store.apply({ action: "get", key: path }, 0);
    return ("nodes" in node ? (node.nodes ?? []) : []).map(({ key }) => key.slice(path.length + 1));
  }

  /**
   * Executes a request like etcd: a request that fails changes nothing.
   *
   * @param expiration of the node of the request, in milliseconds since 1970
   */
  apply(request: KeyRequest, expiration?: number): void {
    const inOrder = request.action === "create" && request.inOrder === true;
    if (!inOrder && READ_ONLY.has(request.key)) return;
    try {
      // With a TTL of 0, a node expires at the time of the request.
      const lifetime = expiration === undefined ? {} : { ttl: 0 };
      this.#store.apply({ ...request, ...lifetime }, expiration ?? 0);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
  }

  /** Removes the nodes that expire up to a time, in milliseconds since 1970. */
  expire(time: number): void {
    while (this.#store.expireNext(time) !== undefined);
  }
}
