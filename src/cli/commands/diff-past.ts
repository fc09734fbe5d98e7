import { styleText } from "node:util";
import type { EtcdClient } from "../../client/etcd-client.js";
import type { EtcdNode } from "../../model/node.js";
import { oneLine } from "../output/one-line.js";
import { pastNode } from "../output/past-change-text.js";
import { printRecords } from "../output/print-records.js";
import { descendants, type NodeRecord } from "../output/print-response.js";
import { valueText } from "../output/value-text.js";
import { ExitCode } from "../process/exit-code.js";
import type { Session } from "./session.js";
import { requirePast } from "./session-at.js";

/** A node that differs between two moments. */
interface PastDifference {
  readonly change: "created" | "changed" | "removed";
  readonly key: string;
  readonly before?: NodeRecord;
  readonly after?: NodeRecord;
}

/** Prints what has changed below a key between two indexes; without the second one, until now. */
export async function diffPast(
  session: Session,
  key: string,
  [from, to]: readonly number[],
): Promise<void> {
  requirePast(session, "--at");
  const { etcd, format } = session;
  const before = await nodesOf(from === undefined ? etcd : etcd.at(from), key);
  const after = await nodesOf(to === undefined ? etcd : etcd.at(to), key);
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  const found = keys.flatMap((each) => differenceOf(each, before.get(each), after.get(each)));
  if (found.length > 0) process.exitCode = ExitCode.nothingFound;
  printRecords(found, format, {
    line: lineOf,
    head: ["CHANGE", "KEY", "BEFORE", "AFTER"],
    row: ({ change, key, before, after }) => [
      ...[change, oneLine(key), before ? contentText(before) : "", after ? contentText(after) : ""],
    ],
  });
}

/** The nodes of a tree by key; none if it does not exist. */
async function nodesOf(etcd: EtcdClient, key: string): Promise<ReadonlyMap<string, EtcdNode>> {
  const options = { recursive: true, quorum: true, ignoreKeyNotFound: true };
  const response = await etcd.getNode(key, options);
  if (response === null) return new Map();
  const { node } = response;
  return new Map([node, ...descendants(node)].map((each) => [each.key, each]));
}

/** A node that was written again with the same value and lifetime is no difference. */
function differenceOf(
  key: string,
  before: EtcdNode | undefined,
  after: EtcdNode | undefined,
): readonly PastDifference[] {
  const nodes = {
    ...(before && { before: pastNode(before) }),
    ...(after && { after: pastNode(after) }),
  };
  if (before === undefined) return [{ change: "created", key, ...nodes }];
  if (after === undefined) return [{ change: "removed", key, ...nodes }];
  const isSame =
    before.dir === after.dir &&
    before.value === after.value &&
    before.expiration === after.expiration;
  return isSame ? [] : [{ change: "changed", key, ...nodes }];
}

/** A difference in one line: `+` is created, `~` is changed, `-` is removed. */
function lineOf({ key, before, after }: PastDifference): string {
  const name = oneLine(key);
  if (before === undefined) return styleText("green", `+ ${named(name, after)}`);
  if (after === undefined) return styleText("red", `- ${named(name, before)}`);
  const [old, now] = [contentText(before), contentText(after)];
  const values = old === now ? old : `${old} → ${now}`;
  const [ended, ends] = [before.expiration ?? "never", after.expiration ?? "never"];
  const lifetimes = ended === ends ? "" : ` (expires: ${ended} → ${ends})`;
  return styleText("yellow", `~ ${name} = ${values}${lifetimes}`);
}

function named(name: string, node: NodeRecord | undefined): string {
  if (node?.value !== undefined) return `${name} = ${valueText(node.value)}`;
  return name.endsWith("/") ? name : `${name}/`;
}

function contentText({ value }: NodeRecord): string {
  return value === undefined ? "directory" : valueText(value);
}
