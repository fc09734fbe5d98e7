import type { Read } from "../../../etcd3/transaction.js";
import type { OperationResponse } from "../../../etcd3/transaction-answer.js";
import type { KeySchema } from "../schema/key-schema.js";
import type { Listing } from "./listing.js";
import { PageReader } from "./page-reader.js";

/** Reads the files and the markers of a listing, page by page. */
export class ListingPages {
  readonly #files: PageReader;
  readonly #markers: PageReader;
  /** Whose pages are being read. */
  #asked: readonly PageReader[] = [];

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

  /** The operations that read the next pages; none at the end. */
  next(options: object): readonly Read[] {
    const readers = [this.#files, this.#markers];
    this.#asked = readers.filter((reader) => reader.next() !== undefined);
    return this.#asked.flatMap((reader) => reader.next(options) ?? []);
  }

  /** Makes the pages shorter for a limit on answers; `false` when they have a single key. */
  shrink(limit: number): boolean {
    const shrunk = this.#asked.map((reader) => reader.shrink(limit));
    return shrunk.includes(true);
  }

  /** Takes the answers to what {@link next} gave. */
  take(answers: readonly OperationResponse[]): void {
    for (const [at, reader] of this.#asked.entries()) {
      const answer = answers[at];
      if (answer !== undefined) reader.take(answer);
    }
  }
}
