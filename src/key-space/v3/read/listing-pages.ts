import type { Read, ReadOptions } from "../../../etcd3/transaction.js";
import type { OperationResult } from "../../../etcd3/txn-result.js";
import type { KeySchema } from "../schema/key-schema.js";
import type { Listing } from "./listing.js";
import { PageReader } from "./page-reader.js";

/** Reads the files and markers of a listing, page by page. */
export class ListingPages {
  readonly #files: PageReader;
  readonly #markers: PageReader;
  /** Readers of the pages that are being read. */
  #reading: readonly PageReader[] = [];

  constructor(listing: Listing, path: string, schema: KeySchema) {
    const skips = (at: string): string | undefined => listing.subdirectoryOn(at);
    this.#files = new PageReader(schema.filesBelow(path), {
      prefix: schema.filePrefix,
      add: (at, kv) => listing.addFile(at, kv),
      skips,
    });
    this.#markers = new PageReader(schema.markersBelow(path), {
      prefix: schema.markerPrefix,
      add: (at, kv) => listing.addMarker(at, kv),
      skips,
    });
  }

  /** The reads of the next pages; empty at the end. */
  next(options: ReadOptions): readonly Read[] {
    const readers = [this.#files, this.#markers];
    this.#reading = readers.filter((reader) => reader.next() !== undefined);
    return this.#reading.flatMap((reader) => reader.next(options) ?? []);
  }

  /**
   * Makes the pages smaller to fit a limit of responses.
   *
   * @returns `false` when they have a single key
   */
  shrink(limit: number): boolean {
    const shrunk = this.#reading.map((reader) => reader.shrink(limit));
    return shrunk.includes(true);
  }

  /** Takes the results of the reads of {@link next}. */
  take(results: readonly OperationResult[]): void {
    for (const [at, reader] of this.#reading.entries()) {
      const result = results[at];
      if (result !== undefined) reader.take(result);
    }
  }
}
