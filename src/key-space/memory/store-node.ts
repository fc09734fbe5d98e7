import type { EtcdNode } from "../../model/node.js";
import { expiryOf } from "../shared/expiry.js";
import { isHidden } from "../shared/path.js";

/** A file (with a value) or a directory (with children) of the tree. */
export class StoreNode {
  /** `/a/b`; empty for the root. */
  readonly path: string;
  createdIndex: number;
  /** `undefined` for a file. */
  readonly children: Set<StoreNode> | undefined;
  /** Value of a file; empty for a directory. */
  value: string;
  modifiedIndex: number;
  /** Milliseconds since 1970; `undefined` without a TTL. */
  expiration: number | undefined;

  /** A directory when `value` is `undefined`. */
  constructor(path: string, value: string | undefined, index: number, expiration?: number) {
    this.path = path;
    this.children = value === undefined ? new Set() : undefined;
    this.value = value ?? "";
    this.createdIndex = index;
    this.modifiedIndex = index;
    this.expiration = expiration;
  }

  /** Whether listings omit the node and everything below it. */
  get hidden(): boolean {
    return isHidden(this.path);
  }

  /** The node as in responses at the time `now`, without children. */
  show(now: number): EtcdNode {
    const { modifiedIndex, createdIndex } = this;
    const key = this.path || "/";
    const expiry = expiryOf(this.expiration, now);
    return this.children === undefined
      ? { key, value: this.value, ...expiry, modifiedIndex, createdIndex }
      : { key, dir: true, ...expiry, modifiedIndex, createdIndex };
  }
}
