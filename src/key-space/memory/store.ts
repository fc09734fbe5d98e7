import type {
  CompareAndDeleteRequest,
  CompareAndSwapRequest,
  Condition,
  CreateRequest,
  DeleteRequest,
  GetRequest,
  KeyRequest,
  SetRequest,
  UpdateRequest,
} from "../../model/key-request.js";
import type { Action } from "../../model/response.js";
import { differences } from "../shared/differences.js";
import { inOrderName, parentPath, pathOf } from "../shared/path.js";
import { StoreError } from "../shared/store-error.js";
import type { StoreEvent } from "../shared/store-event.js";
import { isLargeListing, type Listing, STEP_NODES } from "./listing.js";
import { childTowards, NodeTree } from "./node-tree.js";
import { StoreNode } from "./store-node.js";
import type { SnapshotNode, StoreWalk } from "./store-walk.js";

/** Index of a new one-member cluster: the first write has index 4. */
const FIRST_INDEX = 3;

/** Greatest time of 64-bit nanoseconds, in milliseconds since 1970: April 2262. */
const MAX_EXPIRATION_MS = 9_223_372_036_854;

/**
 * Maximum number of levels of a path. etcd has no limit, but etcd 3.4 cannot restart from a
 * snapshot with more than 5,000 levels.
 */
const MAX_PATH_LEVELS = 256;

/** Options of {@link Store}. */
export interface StoreOptions {
  /**
   * Maximum number of levels of a path.
   *
   * @default 256
   */
  readonly maxLevels?: number;
}

/** A store as plain values. */
export interface StoreSnapshot {
  readonly index: number;
  readonly nodes: readonly SnapshotNode[];
}

/**
 * The tree and its index. Executes requests one after another, each completely or not at all. Time
 * is a parameter; watches are not its concern.
 */
export class Store {
  readonly #tree = new NodeTree();
  readonly #maxLevels: number;
  #index = FIRST_INDEX;

  constructor({ maxLevels = MAX_PATH_LEVELS }: StoreOptions = {}) {
    this.#maxLevels = maxLevels;
  }

  /** Restores a snapshot. @throws Error for a node without a parent directory */
  static restore({ index, nodes }: StoreSnapshot, options?: StoreOptions): Store {
    const store = new Store(options);
    store.#index = index;
    store.#tree.restore(nodes);
    return store;
  }

  /** The complete store, as plain values. */
  snapshot(): StoreSnapshot {
    const walk = this.walk();
    const nodes = [...walk.unchanged()];
    walk.end();
    return { index: this.#index, nodes };
  }

  /** Starts to read the store while it changes. */
  walk(): StoreWalk {
    return this.#tree.walk();
  }

  /** Index of the last change. */
  get index(): number {
    return this.#index;
  }

  get hasTtls(): boolean {
    return this.#tree.hasTtls;
  }

  /** Whether a node exists. `path` is empty for the root. */
  has(path: string): boolean {
    return this.#tree.get(path) !== undefined;
  }

  /**
   * Executes a request at the time `now`, in milliseconds since 1970.
   *
   * @throws StoreError; then nothing has changed
   */
  apply(request: KeyRequest, now: number): StoreEvent {
    const path = pathOf(request.key);
    switch (request.action) {
      case "get":
        return this.#read(path, request, now);
      case "set":
        return this.#set(path, request, now);
      case "create":
        return request.inOrder
          ? this.#createInOrder(path, request, now)
          : this.#create(path, request, now);
      case "update":
        return this.#update(path, request, now);
      case "compareAndSwap":
        return this.#compareAndSwap(path, request, now);
      case "delete":
        return this.#delete(path, request, now);
      case "compareAndDelete":
        return this.#compareAndDelete(path, request, now);
    }
  }

  /** Removes the node that expired first, if any. */
  expireNext(now: number): StoreEvent | undefined {
    const node = this.#tree.takeExpired(now);
    return node && this.#remove(node, "expire", now);
  }

  /** Whether a listing takes more than one step. False for a node that does not exist. */
  isLarge({ key, recursive = false }: GetRequest): boolean {
    const node = this.#tree.get(pathOf(key));
    return node?.children !== undefined && isLargeListing(node, recursive);
  }

  /** Starts to read a node while requests are executed. @throws StoreError */
  list(request: GetRequest, now: number, stepNodes = STEP_NODES): Listing {
    const { key, recursive = false, sorted = false } = request;
    return this.#tree.list(this.#find(pathOf(key)), { recursive, sorted, now, stepNodes });
  }

  #read(path: string, request: GetRequest, now: number): StoreEvent {
    const node = this.#find(path);
    // A read of a file needs no listing, which would be most of its cost.
    if (node.children === undefined) return { action: "get", node: node.show(now) };
    using listing = this.list(request, now);
    return { action: "get", node: listing.finish() };
  }

  #set(path: string, request: SetRequest, now: number): StoreEvent {
    const existing = this.#lookUp(path);
    if (request.refresh && existing === undefined) throw this.#missing(path);
    this.#refuseRoot(path);
    if (existing?.children !== undefined) throw new StoreError(102, path);
    const prevNode = existing?.show(now);
    const value = request.dir ? undefined : (request.value ?? existing?.value ?? "");
    const node =
      existing === undefined || value === undefined
        ? this.#put(path, value, request.ttl, now)
        : this.#replace(existing, value, request.ttl, now);
    const event = { action: "set", node: node.show(now) } as const;
    if (prevNode === undefined) return event;
    return request.refresh
      ? { ...event, prevNode, silent: true }
      : Object.assign(event, { prevNode });
  }

  #create(path: string, request: CreateRequest, now: number): StoreEvent {
    this.#refuseRoot(path);
    if (this.#lookUp(path) !== undefined) throw new StoreError(105, path);
    const node = this.#put(path, request.dir ? undefined : request.value, request.ttl, now);
    return { action: "create", node: node.show(now) };
  }

  /** The name is the index of the creation, so that names increase. */
  #createInOrder(path: string, request: CreateRequest, now: number): StoreEvent {
    return this.#create(`${path}/${inOrderName(this.#index + 1)}`, request, now);
  }

  #update(path: string, request: UpdateRequest, now: number): StoreEvent {
    this.#refuseRoot(path);
    const node = this.#find(path);
    if (node.children !== undefined && request.value) throw new StoreError(102, path);
    return this.#change(node, "update", request, now);
  }

  #compareAndSwap(path: string, request: CompareAndSwapRequest, now: number): StoreEvent {
    this.#refuseRoot(path);
    const node = this.#find(path);
    if (node.children !== undefined) throw new StoreError(102, path);
    this.#compare(node, request);
    return this.#change(node, "compareAndSwap", request, now);
  }

  #delete(path: string, { dir, recursive }: DeleteRequest, now: number): StoreEvent {
    this.#refuseRoot(path);
    const node = this.#find(path);
    if (node.children !== undefined && !recursive) {
      if (!dir) throw new StoreError(102, path);
      if (node.children.size > 0) throw new StoreError(108, path);
    }
    return this.#remove(node, "delete", now);
  }

  #compareAndDelete(path: string, request: CompareAndDeleteRequest, now: number): StoreEvent {
    const node = this.#find(path);
    if (node.children !== undefined) throw new StoreError(102, path);
    this.#compare(node, request);
    return this.#remove(node, "compareAndDelete", now);
  }

  /** Changes a node in place. etcd does not store the new index of a directory. */
  #change(
    node: StoreNode,
    action: Action,
    request: UpdateRequest | CompareAndSwapRequest,
    now: number,
  ): StoreEvent {
    const prevNode = node.show(now);
    const index = ++this.#index;
    this.#tree.willChange(node);
    if (node.children === undefined) {
      if (!request.refresh) node.value = request.value ?? "";
      node.modifiedIndex = index;
    }
    node.expiration = expirationOf(request.ttl, now);
    this.#tree.changed(node);
    const silent = request.refresh === true;
    const shown = { ...node.show(now), modifiedIndex: index };
    return { action, node: shown, prevNode, ...(silent && { silent }) };
  }

  #remove(node: StoreNode, action: Action, now: number): StoreEvent {
    const prevNode = node.show(now);
    const { key, createdIndex } = prevNode;
    const removed = this.#tree.remove(node);
    const kind = node.children === undefined ? {} : ({ dir: true } as const);
    const shown = { key, ...kind, modifiedIndex: ++this.#index, createdIndex };
    return { action, node: shown, prevNode, ...(removed.length > 0 && { removed }) };
  }

  /** Adds a node, in place of a file, and creates missing parent directories. */
  #put(path: string, value: string | undefined, ttl: number | undefined, now: number): StoreNode {
    this.#checkDepth(path);
    const node = new StoreNode(path, value, ++this.#index, expirationOf(ttl, now));
    this.#tree.put(node);
    return node;
  }

  /** Replaces a file in place, which is cheaper than a new object in a large store. */
  #replace(file: StoreNode, value: string, ttl: number | undefined, now: number): StoreNode {
    const index = ++this.#index;
    this.#tree.willChange(file);
    file.value = value;
    file.createdIndex = index;
    file.modifiedIndex = index;
    file.expiration = expirationOf(ttl, now);
    this.#tree.changed(file);
    return file;
  }

  /** @throws StoreError 100 with the first missing path, 104 if a parent is a file */
  #find(path: string): StoreNode {
    const node = this.#lookUp(path);
    if (node === undefined) throw this.#missing(path);
    return node;
  }

  /** Returns the node, if it exists. @throws StoreError 104 if a parent is a file */
  #lookUp(path: string): StoreNode | undefined {
    const node = this.#tree.get(path);
    if (node !== undefined) return node;
    const above = this.#tree.nearest(parentPath(path));
    if (above.children === undefined) throw new StoreError(104, above.path);
    return undefined;
  }

  #missing(path: string): StoreError {
    return new StoreError(100, childTowards(this.#tree.nearest(parentPath(path)).path, path));
  }

  #refuseRoot(path: string): void {
    if (path === "") throw new StoreError(107, "/");
  }

  /** @throws StoreError 209 for a path with too many levels */
  #checkDepth(path: string): void {
    const levels = path.split("/").length - 1;
    if (levels <= this.#maxLevels) return;
    throw new StoreError(
      209,
      `the key has ${levels} levels; use a key with at most ${this.#maxLevels} levels`,
    );
  }

  #compare(node: StoreNode, condition: Condition): void {
    const detail = differences(condition, node);
    if (detail !== "") throw new StoreError(101, detail);
  }
}

/** A time that does not fit into 64-bit nanoseconds means no TTL, as in etcd. */
function expirationOf(ttl: number | undefined, now: number): number | undefined {
  if (ttl === undefined) return undefined;
  const expiration = now + ttl * 1000;
  return expiration > MAX_EXPIRATION_MS ? undefined : expiration;
}
