import type {
  ChangeEvent,
  ListedNode,
  ListingPage,
  ShownNode,
} from "../src/console/model/page-types.js";
import { compareCodePoints } from "../src/key-space/shared/code-point-order.js";
import { Emitter } from "./emitter.js";

/** A node in a directory that is open. */
export interface TreeNode {
  readonly key: string;
  readonly name: string;
  readonly dir: boolean;
  readonly index: number;
  readonly start?: string | undefined;
  readonly length?: number | undefined;
  /** Milliseconds of the page's clock. */
  readonly endsAt?: number | undefined;
  /** When a change of it arrived; 0: since the directory was read, none has. */
  readonly changedAt: number;
}

/** Reads a page of a listing. */
export type ReadPage = (key: string, listing?: string, from?: number) => Promise<ListingPage>;

/** A line of the tree. */
export type Row =
  | {
      readonly type: "node";
      readonly node: TreeNode;
      readonly depth: number;
      readonly position: number;
      readonly size: number;
    }
  | {
      readonly type: "waiting";
      readonly depth: number;
      readonly position: number;
      readonly size: number;
    }
  | {
      readonly type: "note";
      readonly depth: number;
      readonly text: string;
      readonly directory: string;
    };

/** Changes that a listing that arrives late may lack. */
const MAX_RECENT_CHANGES = 5_000;

/** Rows of one directory between two open ones. */
interface Segment {
  readonly directory: Directory;
  readonly depth: number;
  /** Position in the directory. */
  readonly from: number;
  readonly count: number;
  /** Number of the first row. */
  readonly start: number;
}

/** An open directory. */
class Directory {
  readonly key: string;
  /** Sorted. While the listing is read, those of its first pages. */
  nodes: TreeNode[] = [];
  /** Nodes that are in the listing, and not read yet. */
  unread = 0;
  /** Index of the listing. */
  index = 0;
  isRead = false;
  failure = "";
  /** Changes of nodes that are in no page yet; `null`: removed. */
  readonly #later = new Map<string, TreeNode | null>();
  /** Counts the listings, so that pages of an earlier one are dropped. */
  round = 0;

  constructor(key: string) {
    this.key = key;
  }

  get size(): number {
    return this.nodes.length + this.unread;
  }

  begin(index: number, total: number): void {
    this.nodes = [];
    this.index = index;
    this.unread = total;
    this.#later.clear();
  }

  /** The nodes of an earlier reading stay. */
  fail(failure: string): void {
    this.failure = failure;
    this.unread = 0;
    this.isRead = true;
  }

  append(page: readonly ListedNode[], now: number): void {
    this.unread -= page.length;
    for (const listed of page) {
      const later = this.#later.get(listed.name);
      const node = later === undefined ? nodeOf(this.key, listed, now) : later;
      if (node !== null) this.nodes.push(node);
      this.#later.delete(listed.name);
    }
    this.isRead = this.unread === 0;
    for (const [name, node] of this.#later) {
      if (!this.#covers(name)) continue;
      this.#later.delete(name);
      if (node !== null) this.put(node);
    }
  }

  /** Whether the place of a name is among the nodes that are read. */
  #covers(name: string): boolean {
    const last = this.nodes.at(-1);
    return this.isRead || (last !== undefined && compareCodePoints(name, last.name) <= 0);
  }

  /** Position of a name, or the one at which to insert it. */
  place(name: string): number {
    let low = 0;
    let high = this.nodes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareCodePoints(this.nodes[middle]?.name ?? "", name) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  find(name: string): TreeNode | undefined {
    const node = this.nodes[this.place(name)];
    return node?.name === name ? node : undefined;
  }

  put(node: TreeNode): void {
    if (!this.#covers(node.name)) {
      this.#later.set(node.name, node);
      return;
    }
    const place = this.place(node.name);
    this.nodes.splice(place, this.nodes[place]?.name === node.name ? 1 : 0, node);
  }

  putAll(nodes: Iterable<TreeNode>): void {
    for (const node of nodes) this.put(node);
  }

  remove(name: string): void {
    if (!this.#covers(name)) {
      this.#later.set(name, null);
      return;
    }
    const place = this.place(name);
    if (this.nodes[place]?.name === name) this.nodes.splice(place, 1);
  }
}

/**
 * The tree as far as it is open. A directory is read when it is opened, page by page; changes keep it up to date.
 * Only the rows in sight are ever rendered.
 */
export class TreeModel extends Emitter {
  readonly #read: ReadPage;
  readonly #now: () => number;
  readonly #open = new Map<string, Directory>();
  /** Hidden nodes that were asked for by name, by the directory that does not list them. */
  readonly #pinned = new Map<string, Map<string, TreeNode>>();
  #recent: ChangeEvent[] = [];
  /** Index up to which recent changes were dropped. */
  #dropped = 0;
  #segments: readonly Segment[] | undefined;

  constructor(read: ReadPage, now: () => number) {
    super();
    this.#read = read;
    this.#now = now;
  }

  isOpen(key: string): boolean {
    return this.#open.has(key);
  }

  /** Whether an open directory could not be read. */
  isUnreadable(key: string): boolean {
    return (this.#open.get(key)?.failure ?? "") !== "";
  }

  /** The node of an open directory. */
  find(key: string): TreeNode | undefined {
    return this.#open.get(parentOf(key))?.find(nameOf(key));
  }

  /** Opens a directory. Resolves when its first page is read. */
  async open(key: string): Promise<void> {
    if (this.#open.has(key)) return;
    const directory = new Directory(key);
    this.#open.set(key, directory);
    this.#changed();
    await this.#fill(directory);
  }

  close(key: string): void {
    for (const open of [...this.#open.keys()]) {
      if (open === key || isBelow(open, key)) this.#open.delete(open);
    }
    this.#changed();
  }

  /** Forgets everything. */
  clear(): void {
    this.#open.clear();
    this.#pinned.clear();
    this.#recent = [];
    this.#changed();
  }

  /** Reads every open directory again. */
  async reload(): Promise<void> {
    this.#recent = [];
    this.#dropped = 0;
    await Promise.all([...this.#open.values()].map((directory) => this.#fill(directory)));
  }

  /** Reads the directories again whose reading failed. */
  async readFailed(): Promise<void> {
    const failed = [...this.#open.values()].filter(({ failure }) => failure !== "");
    await Promise.all(failed.map((directory) => this.#fill(directory)));
  }

  async #fill(directory: Directory): Promise<void> {
    const { key } = directory;
    const round = ++directory.round;
    const isCurrent = (): boolean => this.#open.get(key) === directory && directory.round === round;
    try {
      let page = await this.#read(key);
      if (!isCurrent()) return;
      directory.failure = "";
      directory.isRead = false;
      directory.begin(page.index, page.total);
      directory.append(page.nodes, this.#now());
      directory.putAll(this.#pinned.get(key)?.values() ?? []);
      if (this.#dropped > page.index) return await this.#fill(directory);
      for (const change of this.#recent) this.#applyTo(directory, change);
      this.#changed();
      while (directory.unread > 0) {
        page = await this.#read(key, page.listing, page.from + page.nodes.length);
        if (!isCurrent()) return;
        directory.append(page.nodes, this.#now());
        this.#changed();
      }
    } catch (error) {
      if (!isCurrent()) return;
      if (isGone(error) && key !== "/") return this.#drop(key);
      directory.fail(error instanceof Error ? error.message : String(error));
      directory.putAll(this.#pinned.get(key)?.values() ?? []);
      this.#changed();
    }
  }

  /**
   * A directory that was written with v3's own API exists while it has keys, so etcd reports no end of it.
   */
  #drop(key: string): void {
    this.#open.get(parentOf(key))?.remove(nameOf(key));
    this.#pinned.get(parentOf(key))?.delete(key);
    this.close(key);
  }

  /** Takes changes that the watch has delivered. */
  apply(changes: readonly ChangeEvent[]): void {
    for (const change of changes) {
      this.#recent.push(change);
      for (const directory of this.#open.values()) this.#applyTo(directory, change);
      if (change.isRemoved || !change.dir) this.#closeBelow(change);
    }
    if (this.#recent.length > MAX_RECENT_CHANGES) {
      const dropped = this.#recent.splice(0, this.#recent.length - MAX_RECENT_CHANGES / 2);
      this.#dropped = dropped.at(-1)?.index ?? this.#dropped;
    }
    this.#changed();
  }

  /** A directory that was removed, or replaced by a file, has no rows below it. */
  #closeBelow({ key }: ChangeEvent): void {
    for (const open of [...this.#open.keys()]) {
      if (open !== "/" && (open === key || isBelow(open, key))) this.#open.delete(open);
    }
  }

  #applyTo(directory: Directory, change: ChangeEvent): void {
    const { key, index } = change;
    if (index <= directory.index || !isBelow(key, directory.key)) return;
    const name = key.slice(directory.key === "/" ? 1 : directory.key.length + 1);
    const slash = name.indexOf("/");
    if (slash < 0) {
      if (change.isRemoved) directory.remove(name);
      else directory.put(nodeOfChange(change, name, this.#now()));
      return;
    }
    // A write creates the directories above it, and etcd sends no event for them.
    const above = name.slice(0, slash);
    if (change.isRemoved || above.startsWith("_") || directory.find(above)?.dir) return;
    const changedAt = this.#now();
    const key2 = `${directory.key === "/" ? "" : directory.key}/${above}`;
    directory.put({ key: key2, name: above, dir: true, index, changedAt });
  }

  /** Shows a hidden node, which no listing has. */
  pin(node: ShownNode): void {
    const directory = parentOf(node.key);
    const { key, dir, value, ttl, modifiedIndex: index } = node;
    const listed = { name: nameOf(key), dir, index, start: value?.slice(0, 80), ttl };
    const pinned = this.#pinned.get(directory) ?? new Map<string, TreeNode>();
    this.#pinned.set(directory, pinned.set(key, nodeOf(directory, listed, this.#now())));
    this.#open.get(directory)?.putAll(pinned.values());
    this.#changed();
  }

  /** Takes a TTL that was read again: etcd sends no event for a refresh. */
  setTtl(key: string, ttl: number | undefined): void {
    const node = this.find(key);
    if (node === undefined) return;
    this.#open.get(parentOf(key))?.put({ ...node, endsAt: endOf(ttl, this.#now()) });
    this.#changed();
  }

  #changed(): void {
    this.#segments = undefined;
    this.emit();
  }

  get #rows(): readonly Segment[] {
    this.#segments ??= this.#segmentsOf(this.#open.get("/"));
    return this.#segments;
  }

  #segmentsOf(root: Directory | undefined): readonly Segment[] {
    const segments: Segment[] = [];
    let start = 0;
    const add = (directory: Directory, depth: number, from: number, count: number): void => {
      if (count > 0) segments.push({ directory, depth, from, count, start });
      start += count;
    };
    const visit = (directory: Directory, depth: number): void => {
      const below = this.#openIn(directory);
      let from = 0;
      for (const [place, child] of below) {
        add(directory, depth, from, place + 1 - from);
        from = place + 1;
        visit(child, depth + 1);
      }
      add(directory, depth, from, directory.size - from);
      const isEmpty = directory.size === 0;
      if (isEmpty || directory.failure !== "") add(directory, depth, directory.size, 1);
    };
    if (root !== undefined) visit(root, 0);
    return segments;
  }

  /** The open directories in a directory, by their position. */
  #openIn(directory: Directory): readonly (readonly [number, Directory])[] {
    const found: [number, Directory][] = [];
    for (const child of this.#open.values()) {
      if (child === directory || parentOf(child.key) !== directory.key || child.key === "/")
        continue;
      const place = directory.place(nameOf(child.key));
      if (directory.nodes[place]?.key === child.key) found.push([place, child]);
    }
    return found.sort(([a], [b]) => a - b);
  }

  get rowCount(): number {
    const last = this.#rows.at(-1);
    return last === undefined ? 0 : last.start + last.count;
  }

  rowAt(number: number): Row | undefined {
    const segments = this.#rows;
    let low = 0;
    let high = segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((segments[middle]?.start ?? 0) <= number) low = middle;
      else high = middle - 1;
    }
    const segment = segments[low];
    if (segment === undefined || number >= segment.start + segment.count) return undefined;
    return rowOf(segment, segment.from + number - segment.start);
  }

  /** Number of the row of a key; -1: it has none. */
  rowOfKey(key: string): number {
    const directory = this.#open.get(parentOf(key));
    const place = directory?.place(nameOf(key)) ?? -1;
    if (directory?.nodes[place]?.key !== key) return -1;
    const segment = this.#rows.find(
      (each) =>
        each.directory === directory && place >= each.from && place < each.from + each.count,
    );
    return segment === undefined ? -1 : segment.start + place - segment.from;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && error.name === "KeyNotFoundError";
}

function rowOf({ directory, depth }: Segment, at: number): Row {
  const size = directory.size;
  const node = directory.nodes[at];
  if (node !== undefined) return { type: "node", node, depth, position: at + 1, size };
  if (at < size) return { type: "waiting", depth, position: at + 1, size };
  const { key, failure, isRead } = directory;
  const text = failure !== "" ? failure : isRead ? "empty" : "loading …";
  return { type: "note", depth, text, directory: key };
}

function nodeOf(directory: string, listed: ListedNode, now: number): TreeNode {
  const { name, dir, index, start, length, ttl } = listed;
  const key = `${directory === "/" ? "" : directory}/${name}`;
  return { key, name, dir, index, start, length, endsAt: endOf(ttl, now), changedAt: 0 };
}

function nodeOfChange(change: ChangeEvent, name: string, now: number): TreeNode {
  const { key, dir, index, value, length, ttl } = change;
  const start = value?.slice(0, 80);
  return { key, name, dir, index, start, length, endsAt: endOf(ttl, now), changedAt: now };
}

/** etcd says how many seconds are left, so the clock of the page need not agree with those of the members. */
export function endOf(ttl: number | undefined, now: number): number | undefined {
  return ttl === undefined ? undefined : now + ttl * 1000;
}

export function parentOf(key: string): string {
  return key.slice(0, Math.max(1, key.lastIndexOf("/")));
}

export function nameOf(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}

export function isBelow(key: string, directory: string): boolean {
  return directory === "/" ? key !== "/" : key.startsWith(`${directory}/`);
}
