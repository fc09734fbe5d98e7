import type { EtcdNode } from "../../model/node.js";
import { compareCodePoints } from "../code-point-order.js";
import { expiryOf } from "../expiry.js";
import { isHidden } from "../path.js";

/** A file (with a value) or a directory (with children) of the tree. */
export class StoreNode {
  /** `/a/b`; empty for the root. */
  readonly path: string;
  createdIndex: number;
  /** `undefined` for a file. */
  readonly children: Set<StoreNode> | undefined;
  /** Of a file. */
  value: string;
  modifiedIndex: number;
  /** Milliseconds since 1970; `undefined`: for ever. */
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

  /** Whether listings leave the node out, with all that is below it. */
  get hidden(): boolean {
    return isHidden(this.path);
  }

  /** The node as answers show it, at the moment `now`, without children. */
  show(now: number): EtcdNode {
    const { modifiedIndex, createdIndex } = this;
    const key = this.path || "/";
    const expiry = expiryOf(this.expiration, now);
    return this.children === undefined
      ? { key, value: this.value, ...expiry, modifiedIndex, createdIndex }
      : { key, dir: true, ...expiry, modifiedIndex, createdIndex };
  }

  /** The node with the visible children of directories. */
  list(now: number, recursive: boolean, sorted: boolean): EtcdNode {
    const shown = this.show(now);
    if (this.children === undefined) return shown;
    const visible = [...this.children].filter((child) => !child.hidden);
    if (visible.length === 0) return shown;
    if (sorted) visible.sort((a, b) => compareCodePoints(a.path, b.path));
    const nodes = visible.map((child) =>
      recursive ? child.list(now, true, sorted) : child.show(now),
    );
    return { ...shown, nodes };
  }
}
