import { parentPath } from "../key-space/shared/path.js";

/** Values by path, which also finds all paths below a directory without a search through the others. */
export class PathMap<Value> {
  readonly #values = new Map<string, Value>();
  /** Paths in a directory that have a value, or have one below them. */
  readonly #children = new Map<string, Set<string>>();

  get(path: string): Value | undefined {
    return this.#values.get(path);
  }

  has(path: string): boolean {
    return this.#values.has(path);
  }

  set(path: string, value: Value): void {
    this.#values.set(path, value);
    for (let child = path; child !== ""; child = parentPath(child)) {
      const parent = parentPath(child);
      const siblings = this.#children.get(parent);
      if (siblings?.has(child)) return;
      if (siblings === undefined) this.#children.set(parent, new Set([child]));
      else siblings.add(child);
    }
  }

  /** @returns whether it had a value */
  delete(path: string): boolean {
    const had = this.#values.delete(path);
    for (let child = path; child !== "" && !this.#isNeeded(child); child = parentPath(child)) {
      const parent = parentPath(child);
      const siblings = this.#children.get(parent);
      siblings?.delete(child);
      if (siblings?.size === 0) this.#children.delete(parent);
    }
    return had;
  }

  /** All paths with a value below a directory. */
  below(directory: string): readonly string[] {
    const all = [...(this.#children.get(directory) ?? [])];
    for (const path of all) for (const child of this.#children.get(path) ?? []) all.push(child);
    return all.filter((path) => this.#values.has(path));
  }

  #isNeeded(path: string): boolean {
    return this.#values.has(path) || this.#children.has(path);
  }
}
