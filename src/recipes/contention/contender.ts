import type { AnyNode, EtcdNode } from "../../model/node.js";

/** An in-order key in a queue. Its value is `ID DATA`; the id is unique for each owner. */
export interface Contender {
  readonly key: string;
  readonly order: bigint;
  readonly value: string;
  /** The first word of the value. */
  readonly id: string;
  /** The value after the first space. */
  readonly data: string;
  readonly createdIndex: number;
}

export function contenderValue(id: string, data: string): string {
  return `${id} ${data}`;
}

export function dataOf(value: string): string {
  const space = value.indexOf(" ");
  return space < 0 ? "" : value.slice(space + 1);
}

/**
 * The contenders in a directory, in the order of their creation. Names are compared as numbers,
 * because old releases of etcd do not pad them with zeros. Other nodes are ignored.
 */
export function contendersIn(directory: AnyNode): readonly Contender[] {
  return (directory.nodes ?? [])
    .flatMap(contenderOf)
    .sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
}

function contenderOf({ key, value, createdIndex }: EtcdNode): readonly Contender[] {
  const order = orderOf(key);
  if (order === undefined || value === undefined) return [];
  const [id = ""] = value.split(" ", 1);
  return [{ key, order, value, id, data: dataOf(value), createdIndex }];
}

/** The number that names an in-order key. */
function orderOf(key: string): bigint | undefined {
  const [, digits] = /\/(\d+)$/.exec(key) ?? [];
  return digits === undefined ? undefined : BigInt(digits);
}
