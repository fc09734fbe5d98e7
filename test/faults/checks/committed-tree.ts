import type { Operation, Violation } from "../workload.js";
import { type Typed, violation } from "./history.js";

/** A file, with its `modifiedIndex`. */
export interface TreeFile {
  readonly key: string;
  readonly value: string;
  readonly index: number;
}

/** All files below the directory at an index. */
export interface TreeState {
  readonly index: number;
  readonly files: readonly TreeFile[];
}

/** A write or an event: a file got a value, or everything at and below the key was removed. */
export interface TreeChange {
  readonly index: number;
  readonly key: string;
  readonly value?: string;
}

/** Outputs are the index of the write. `delete` removes a file, or a directory with everything in it. */
export type TreeWrite =
  | Typed<"set", string, number>
  /** A delete that found nothing has the outcome `failed`. */
  | Typed<"delete", undefined, number>;

/** A change, and the first operation that proves it. */
interface Committed extends TreeChange {
  readonly by: Operation;
}

/** The changes of a tree in the order of their indexes: acknowledged writes and delivered events. */
export class CommittedTree {
  readonly #sets = new Map<string, TreeWrite>();
  readonly #removals: TreeWrite[] = [];
  readonly #changes = new Map<number, Committed>();
  #sorted: readonly Committed[] = [];
  /** Changes that affect a file, by key. */
  readonly #byFile = new Map<string, Committed[]>();

  constructor(writes: readonly TreeWrite[]) {
    for (const write of writes) {
      if (write.kind === "set") this.#sets.set(write.input, write);
      else if (write.outcome !== "failed") this.#removals.push(write);
      if (write.outcome !== "ok") continue;
      const value = write.kind === "set" ? { value: write.input } : {};
      this.#changes.set(write.output, { index: write.output, key: write.key, ...value, by: write });
    }
  }

  /** Takes an event that a watch has delivered. */
  takeEvent(event: TreeChange, by: Operation): Violation[] {
    const known = this.#changes.get(event.index);
    if (known !== undefined) {
      if (known.key === event.key && known.value === event.value) return [];
      const message = `the event of index ${event.index} differs from that of others`;
      return [violation(message, known.by, by)];
    }
    this.#changes.set(event.index, { ...event, by });
    return [];
  }

  /** Call it after all events were taken. @returns events that no write explains */
  complete(): Violation[] {
    this.#sorted = [...this.#changes.values()].toSorted((a, b) => a.index - b.index);
    for (const change of this.#sorted) this.#addByFile(change);
    const unexplained = this.#sorted.flatMap((change) => this.#explain(change));
    return [...unexplained, ...this.#checkAppliedOnce()];
  }

  /** Changes after one index, and before another one. */
  between(after: number, before: number): readonly Committed[] {
    return this.#sorted.filter(({ index }) => index > after && index < before);
  }

  /** Compares a state with the changes up to its index. Unknown writes may have changed it too. */
  checkState(state: TreeState, by: Operation): Violation[] {
    const shown = new Map(state.files.map((file) => [file.key, file]));
    const keys = new Set([...this.#byFile.keys(), ...shown.keys()]);
    return [...keys].flatMap((key) => this.#checkFile(key, shown.get(key), state.index, by));
  }

  #checkFile(key: string, file: TreeFile | undefined, index: number, by: Operation): Violation[] {
    const last = this.#byFile.get(key)?.findLast((change) => change.index <= index);
    if (file === undefined) {
      if (last?.value === undefined || this.#mayBeRemoved(key)) return [];
      return [violation(`${key} is missing at index ${index}`, last.by, by)];
    }
    if (file.index === last?.index && file.value === last.value) return [];
    const write = this.#sets.get(file.value);
    const isExplained = write?.key === key && write.outcome === "unknown";
    if (isExplained && file.index > (last?.index ?? 0) && file.index <= index) return [];
    const message = `${key} is ${file.value} of index ${file.index} at index ${index}`;
    return [violation(message, by, ...(last === undefined ? [] : [last.by]))];
  }

  /** Whether a removal with an unknown outcome may have removed the file. */
  #mayBeRemoved(key: string): boolean {
    return this.#removals.some(
      (removal) => removal.outcome === "unknown" && isWithin(key, removal.key),
    );
  }

  #addByFile(change: Committed): void {
    const { key, value } = change;
    if (value !== undefined && !this.#byFile.has(key)) this.#byFile.set(key, []);
    for (const [file, changes] of this.#byFile) {
      if (value === undefined ? isWithin(file, key) : file === key) changes.push(change);
    }
  }

  /** An event that is not that of an acknowledged write must be that of an unknown one. */
  #explain({ key, value, index, by }: Committed): Violation[] {
    if (by.kind === "set" || by.kind === "delete") return [];
    const message = `an event of index ${index} at ${key} that no write explains`;
    const write =
      value === undefined
        ? this.#removals.find((removal) => removal.outcome === "unknown" && removal.key === key)
        : this.#sets.get(value);
    const isExplained = write?.key === key && write.outcome === "unknown";
    return isExplained ? [] : [violation(message, by, ...(write ? [write] : []))];
  }

  /** Values are unique, and so are the removals of a client: each is applied once. */
  #checkAppliedOnce(): Violation[] {
    const found: Violation[] = [];
    const firsts = new Map<string, Committed>();
    for (const change of this.#sorted) {
      if (change.value === undefined) continue;
      const first = firsts.get(change.value);
      if (first === undefined) firsts.set(change.value, change);
      else found.push(violation(`${change.value} was written twice`, first.by, change.by));
    }
    return found;
  }
}

function isWithin(key: string, directory: string): boolean {
  return key === directory || key.startsWith(`${directory}/`);
}
