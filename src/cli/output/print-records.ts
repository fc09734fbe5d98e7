import { goJson } from "../../wire/go-json.js";
import type { OutputFormat } from "../options/client-options.js";
import { print, printLines } from "../process/print.js";
import { jsonText } from "./json-text.js";
import { tableLines } from "./table.js";
import { yamlLines } from "./yaml-text.js";

/** The text of a record in each format. */
export interface RecordView<R> {
  readonly line: (record: R) => string;
  readonly head: readonly string[];
  readonly row: (record: R) => readonly string[];
}

/** Prints records other than key responses, such as members. For them, `extended` equals `simple`. */
export function printRecords<R>(
  records: readonly R[],
  format: OutputFormat,
  { line, head, row }: RecordView<R>,
): void {
  if (format === "json") print(goJson(records));
  else if (format === "jsonl") printLines(records.map(jsonText));
  else if (format === "yaml") printLines(yamlLines(records));
  else if (format === "table") printLines(tableLines(head, records.map(row)));
  else printLines(records.map(line));
}
