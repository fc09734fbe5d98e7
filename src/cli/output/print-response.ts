import type { AnyNode, EtcdNode } from "../../model/node.js";
import type { EtcdResponse } from "../../model/response.js";
import type { OutputFormat } from "../options/client-options.js";
import { print, printLines } from "../process/print.js";
import { jsonText } from "./json-text.js";
import { oneLine } from "./one-line.js";
import { responseJson, shownKey } from "./response-json.js";
import { tableLines } from "./table.js";
import { yamlLines } from "./yaml-text.js";

/** Prints a response as etcdctl does, as YAML, or as a table. */
export function printResponse(response: EtcdResponse, format: OutputFormat): void {
  printLines(LINES[format](response));
}

/** Prints the change of a watch, with its time in a record of JSON lines or YAML. */
export function printChange(change: EtcdResponse, format: OutputFormat, time?: string): void {
  if (!isRecordFormat(format)) {
    printResponse(change, format);
    return;
  }
  const record = { ...(time !== undefined && { time }), ...changeRecord(change) };
  print(...(format === "jsonl" ? [jsonText(record)] : ["---", ...yamlLines(record)]));
}

/** Whether the output consists of records only, without lines of text. */
export function isRecordFormat(format: OutputFormat): format is "jsonl" | "yaml" {
  return format === "jsonl" || format === "yaml";
}

const LINES: Readonly<Record<OutputFormat, (response: EtcdResponse) => readonly string[]>> = {
  simple: ({ action, node, prevNode }) =>
    action === "delete" ? [`PrevNode.Value: ${shownValue(prevNode)}`] : [shownValue(node)],
  extended: (response) => {
    const { action, node, prevNode, etcdIndex } = response;
    return [
      `Key: ${shownKey(node.key)}`,
      `Created-Index: ${node.createdIndex}`,
      `Modified-Index: ${node.modifiedIndex}`,
      ...(prevNode === undefined ? [] : [`PrevNode.Value: ${shownValue(prevNode)}`]),
      `TTL: ${node.ttl ?? 0}`,
      `Index: ${etcdIndex}`,
      ...(action === "delete" ? [] : ["", shownValue(node)]),
    ];
  },
  json: (response) => [responseJson(response)],
  // A read is a list of nodes, and every change is one record.
  jsonl: (response) => {
    if (response.action !== "get") return [jsonText(changeRecord(response))];
    return [response.node, ...descendants(response.node)].map((node) => jsonText(nodeRecord(node)));
  },
  yaml: (response) => {
    if (response.action !== "get") return ["---", ...yamlLines(changeRecord(response))];
    return yamlLines([response.node, ...descendants(response.node)].map(nodeRecord));
  },
  table: ({ node }) => nodeTable([node, ...descendants(node)]),
};

function changeRecord({ action, node, prevNode }: EtcdResponse): object {
  return {
    action,
    node: nodeRecord(node),
    ...(prevNode !== undefined && { prevNode: nodeRecord(prevNode) }),
  };
}

/** The properties of a node without its children. */
export type NodeRecord = Omit<AnyNode, "nodes">;

export function nodeRecord(node: AnyNode): NodeRecord {
  const { key, dir, value, createdIndex, modifiedIndex, expiration, ttl } = node;
  return {
    key,
    ...(dir && { dir }),
    ...(value !== undefined && { value }),
    ...{ createdIndex, modifiedIndex },
    ...(expiration !== undefined && { expiration }),
    ...(ttl !== undefined && { ttl }),
  };
}

/** Everything below a node; each directory comes before its children. */
export function descendants({ nodes = [] }: AnyNode): readonly EtcdNode[] {
  const found: EtcdNode[] = [];
  const pending = [...nodes].reverse();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    found.push(next);
    for (const child of (next.nodes ?? []).toReversed()) pending.push(child);
  }
  return found;
}

function nodeTable(nodes: readonly AnyNode[]): readonly string[] {
  return tableLines(
    ["KEY", "VALUE", "CREATED", "MODIFIED", "TTL"],
    nodes.map((node) => [
      oneLine(node.dir && node.key !== "/" ? `${node.key}/` : node.key),
      oneLine(node.value ?? ""),
      String(node.createdIndex),
      String(node.modifiedIndex),
      node.ttl === undefined ? "" : String(node.ttl),
    ]),
  );
}

function shownValue(node: AnyNode | undefined): string {
  return node?.value ?? "";
}
