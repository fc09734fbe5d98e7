import type { OutputFormat } from "../options/client-options.js";
import { print, printLines } from "../process/print.js";
import { jsonText } from "./json-text.js";
import type { RecordView } from "./print-records.js";
import { tableLines } from "./table.js";
import { yamlLines } from "./yaml-text.js";

/** Prints the records of a long list as they come. A table needs all of them first. */
export class ListPrinter<R> {
  readonly #format: OutputFormat;
  readonly #view: RecordView<R>;
  readonly #rows: (readonly string[])[] = [];
  #count = 0;

  constructor(format: OutputFormat, view: RecordView<R>) {
    this.#format = format;
    this.#view = view;
  }

  /** Number of records so far. */
  get count(): number {
    return this.#count;
  }

  take(record: R): void {
    const isFirst = this.#count++ === 0;
    if (this.#format === "jsonl") print(jsonText(record));
    else if (this.#format === "json") print(`${isFirst ? "[" : ","}${jsonText(record)}`);
    else if (this.#format === "yaml") print(...yamlLines([record]));
    else if (this.#format === "table") this.#rows.push(this.#view.row(record));
    else print(this.#view.line(record));
  }

  /** Ends the list. */
  end(): void {
    if (this.#format === "json") print(this.#count === 0 ? "[]" : "]");
    else if (this.#format === "yaml" && this.#count === 0) print("[]");
    else if (this.#format === "table") printLines(tableLines(this.#view.head, this.#rows));
  }
}
