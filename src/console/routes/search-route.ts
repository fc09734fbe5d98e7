import type { AnyNode } from "../../model/node.js";
import { walkDirectories } from "../../transfer/source/walk-tree.js";
import { ConsoleError, failureOf, keyIn } from "../http/json-exchange.js";
import { lineSender, progressPace } from "../http/write-text.js";
import type { SearchEvent, SearchMatch, SearchQuery } from "../model/page-types.js";
import type { ConsoleRequest } from "./route.js";

const MAX_MATCHES = 1_000;
const MAX_LINE_CHARS = 200;

/**
 * Searches the whole tree, directory by directory, and sends a line for each match. The pages of a search never miss
 * a part of the tree because it is not shown. Hidden keys are left out, since etcd does not list them.
 */
export async function search({ session, query, response, signal }: ConsoleRequest): Promise<void> {
  const wanted = queryOf(query);
  const isFound = testOf(wanted);
  const send = lineSender<SearchEvent>(response);
  let directories = 0;
  let keys = 0;
  let matches = 0;
  const isDue = progressPace();
  try {
    for await (const { node } of walkDirectories(session.etcd, wanted.key, { signal })) {
      directories++;
      const nodes = node.nodes ?? (node.dir ? [] : [node]);
      keys += nodes.length;
      for (const match of nodes.flatMap((each) => matchOf(each, wanted, isFound))) {
        if (matches++ < MAX_MATCHES) await send({ type: "match", match });
      }
      if (matches >= MAX_MATCHES) break;
      if (isDue()) await send({ type: "progress", directories, keys, at: node.key });
    }
    await send({ type: "end", directories, keys, isCut: matches >= MAX_MATCHES });
  } catch (error) {
    if (!signal.aborted) await send({ type: "failed", failure: failureOf(error) });
  }
  response.end();
}

/** @throws ConsoleError */
function queryOf(query: URLSearchParams): SearchQuery {
  const text = query.get("text") ?? "";
  if (text === "") throw new ConsoleError(400, "text is missing");
  const isOn = (name: string): boolean => query.get(name) === "true";
  return {
    ...{ key: keyIn(query), text },
    ...{ keys: isOn("keys"), values: isOn("values"), matchCase: isOn("matchCase") },
  };
}

function testOf({ text, matchCase }: SearchQuery): (candidate: string) => boolean {
  if (matchCase) return (candidate) => candidate.includes(text);
  const lower = text.toLowerCase();
  return (candidate) => candidate.toLowerCase().includes(lower);
}

function matchOf(
  { key, dir, value }: AnyNode,
  { keys, values }: SearchQuery,
  isFound: (text: string) => boolean,
): readonly SearchMatch[] {
  const found = { key, dir: dir === true };
  const lines = values && value !== undefined && isFound(value) ? value.split("\n") : [];
  const at = lines.findIndex(isFound);
  const text = lines[at];
  if (text !== undefined) {
    return [{ ...found, line: { number: at + 1, text: cut(text, isFound) } }];
  }
  // The text is longer than a line.
  if (lines.length > 0)
    return [{ ...found, line: { number: 1, text: cut(lines[0] ?? "", isFound) } }];
  return keys && isFound(key.slice(key.lastIndexOf("/") + 1)) ? [found] : [];
}

/** The part of a line that contains the text, if it is long. */
function cut(line: string, isFound: (text: string) => boolean): string {
  if (line.length <= MAX_LINE_CHARS) return line;
  const step = MAX_LINE_CHARS / 2;
  for (let start = 0; start < line.length; start += step) {
    const part = line.slice(start, start + MAX_LINE_CHARS);
    if (isFound(part)) return part.toWellFormed();
  }
  return line.slice(0, MAX_LINE_CHARS).toWellFormed();
}
