import type { Difference } from "../../transfer/compare/difference.js";
import type { TreeEntry } from "../../transfer/source/tree-entry.js";
import { oneLine } from "./one-line.js";

/**
 * A difference in one line: `-` is missing, `+` is only in the target, `~` is different, `?` cannot be
 * compared.
 */
export function differenceText(difference: Difference): string {
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

function keyText({ key, dir }: TreeEntry): string {
  return oneLine(dir ? `${key}/` : key);
}

function typeOf({ dir }: TreeEntry): string {
  return dir ? "directory" : "file";
}

function ttlOf({ ttl }: TreeEntry): string {
  return ttl === undefined ? "none" : `${ttl} s`;
}
