import { TransferFailedError } from "../../errors/migration-errors.js";
import type { Comparison } from "../compare/compare-trees.js";
import type { TreeEntry } from "../source/tree-entry.js";
import type { TargetWriter } from "../target/target-writer.js";
import type { PendingChange } from "./change-feed.js";

/**
 * Copies the last changes of a source whose clients wait. It takes everything from the changes themselves: the source
 * may change after its end, and that must not be copied.
 */
export class RestCopier {
  readonly #writer: TargetWriter;
  readonly #extraTtl: number;
  readonly #accepts: (key: string, value?: string) => boolean;

  /**
   * @param extraTtl seconds by which TTLs last longer on the target
   * @param accepts whether the target can store a key; throws when that is not permitted
   */
  constructor(
    writer: TargetWriter,
    extraTtl: number,
    accepts: (key: string, value?: string) => boolean,
  ) {
    this.#writer = writer;
    this.#extraTtl = extraTtl;
    this.#accepts = accepts;
  }

  /** Copies files concurrently. A change of a directory waits for all changes before it. @throws TransferFailedError */
  async copy(changes: readonly PendingChange[]): Promise<void> {
    let files: PendingChange[] = [];
    for (const change of changes) {
      if (change.kind !== "tree") files.push(change);
      else {
        await this.#copyFiles(files);
        files = [];
        await this.#copyDirectory(change);
      }
    }
    await this.#copyFiles(files);
  }

  /** Renews TTLs. Everything else that differs was changed after the end. */
  async copyTtls(
    comparisons: AsyncIterable<Comparison>,
    end: number,
    onLeased: (entries: readonly TreeEntry[]) => void,
  ): Promise<void> {
    for await (const { differences, leased, readAt } of comparisons) {
      onLeased(leased);
      const renewed = differences.filter(
        (each) =>
          each.kind === "ttl" && each.entry.modifiedIndex <= end && each.entry.ttl !== undefined,
      );
      await this.#writer.applyDifferences(renewed, readAt);
    }
  }

  #copyFiles(files: readonly PendingChange[]): Promise<void> {
    return this.#writer.all(files, async (change) => {
      const { key } = change;
      if (change.kind === "gone") return await this.#writer.removeFile(key);
      if (change.kind === "tree" || !this.#accepts(key, change.value)) return;
      const { value } = change;
      const lifetime = change.kind === "put" ? {} : { ttl: change.ttl + this.#extraTtl };
      await this.#writer.put({ key, value, ...lifetime });
    });
  }

  async #copyDirectory({
    key,
    directory,
  }: PendingChange & { readonly kind: "tree" }): Promise<void> {
    if (directory === undefined) {
      throw new TransferFailedError(
        "the source has discarded changes that were not copied; everything must be compared again",
      );
    }
    if (directory.isRemoved) return await this.#writer.removeAll(key);
    if (!this.#accepts(key)) return;
    const { ttl } = directory;
    const longer = ttl === undefined ? {} : { ttl: ttl + this.#extraTtl };
    await this.#writer.put({ key, dir: true, ...longer });
  }
}
