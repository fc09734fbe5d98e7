import type { Difference } from "../../transfer/compare/difference.js";
import type { TreeEntry } from "../../transfer/source/tree-entry.js";
import { oneLine } from "./one-line.js";
import type { RecordView } from "./print-records.js";
import { valueText } from "./value-text.js";

/**
 * A difference in one line: `-` is missing, `+` is only in the target, `~` is different, `?` cannot be
 * compared.
 */
function differenceText(difference: Difference): string {
  switch (difference.kind) {
    case "missing":
      return `- ${keyText(difference.entry)}`;
    case "extra":
      return `+ ${keyText(difference.found)}`;
    case "value":
      return `~ ${keyText(difference.entry)} value`;
    case "type":
      return `~ ${keyText(difference.entry)} is a ${typeOf(difference.found)} in the target`;
    case "uncertain":
      return `? ${keyText(difference.entry)} value contains U+FFFD, which may replace bytes that are not UTF-8`;
    case "unnamed": {
      const side = difference.tree === "source" ? "source" : "target";
      return `? ${oneLine(difference.key)} is not UTF-8 in the ${side}, or has no name in v2`;
    }
    case "ttl":
      return `~ ${keyText(difference.entry)} TTL ${ttlOf(difference.entry)}, ${ttlOf(difference.found)} in the target`;
  }
}

/** A list of differences: a line, or the record with its columns. */
export const DIFFERENCES: RecordView<Difference> = {
  line: differenceText,
  head: ["DIFFERENCE", "KEY", "SOURCE", "TARGET"],
  row: (difference) => {
    if (difference.kind === "unnamed") return ["unnamed", oneLine(difference.key), "", ""];
    const entry = "entry" in difference ? difference.entry : undefined;
    const found = "found" in difference ? difference.found : undefined;
    return [
      ...[difference.kind, oneLine((entry ?? found)?.key ?? "")],
      ...[entry ? contentText(entry) : "", found ? contentText(found) : ""],
    ];
  },
};

function contentText({ value, ttl }: TreeEntry): string {
  const lifetime = ttl === undefined ? "" : ` (${ttl} s)`;
  return `${value === undefined ? "directory" : valueText(value)}${lifetime}`;
}

function keyText({ key, dir }: TreeEntry): string {
  return oneLine(dir ? `${key}/` : key);
}

function typeOf({ dir }: TreeEntry): string {
  return dir ? "directory" : "file";
}

function ttlOf({ ttl }: TreeEntry): string {
  return ttl === undefined ? "none" : `${ttl} s`;
}
