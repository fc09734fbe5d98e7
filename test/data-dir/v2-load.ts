/** Requests of every kind for etcd's v2 API, and the tree that results. */

import { randomFrom } from "../support/random-from.js";

/** A node as etcd shows it. */
export interface SeenNode {
  readonly value?: string;
  readonly dir?: boolean;
  /** Milliseconds since 1970, without a fraction. */
  readonly expiration?: number;
  readonly createdIndex: number;
  readonly modifiedIndex: number;
}

/** Directories that the load uses. etcd lists the hidden ones only if they are named. */
const DIRECTORIES = ["/a", "/a/b", "/a/b/c", "/d €", "/_h", "/a/_h", "/_h/_deep"];
const HIDDEN = ["/_h", "/a/_h", "/_h/_deep"];
const HIDDEN_LEAVES = DIRECTORIES.map((directory) => `${directory}/_k`);

type Fields = Readonly<Record<string, string>>;

/** Sends one request. Resolves with the status; errors of etcd are results like others. */
async function send(
  url: string,
  method: string,
  key: string,
  query: Fields,
  form: Fields = {},
): Promise<number> {
  const path = key.split("/").map(encodeURIComponent).join("/").replaceAll("%25", "%");
  const target = `${url}/v2/keys${path}?${new URLSearchParams(query)}`;
  const body = method === "DELETE" ? {} : { body: new URLSearchParams(form) };
  const response = await fetch(target, { method, ...body });
  await response.arrayBuffer();
  return response.status;
}

/** Sends `count` random requests one after another. The seed determines them. */
export async function sendRandomly(url: string, count: number, seed: number): Promise<void> {
  const random = randomFrom(seed);
  for (let n = 0; n < count; n++) await sendNext(url, random);
}

/** Creates keys in 50 directories. `first` is the number of the first key; a tenth of them have a TTL. */
export async function writeKeys(url: string, first: number, count: number): Promise<void> {
  for (let n = first; n < first + count; n++) {
    const ttl = n % 10 === 0 ? { ttl: "5000" } : {};
    await send(url, "PUT", `/keys/${n % 50}/${n}`, {}, { value: `value ${n}`, ...ttl });
  }
}

async function sendNext(url: string, random: () => number): Promise<void> {
  const pick = <T>(items: readonly [T, ...T[]] | readonly T[]): T => {
    const item = items[Math.floor(random() * items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  };
  const directory = pick(DIRECTORIES);
  const key = `${directory}/${pick(["x", "y", "z", "é", "_k"])}`;
  const value = pick(["", "1", "2", "line\n\u2028", "€😀", "\0".repeat(700), "x".repeat(3000)]);
  // A TTL of 0 or 1 s runs out, the others do not.
  const ttl: Fields = pick([{}, {}, {}, { ttl: "0" }, { ttl: "1" }, { ttl: "5000" }]);
  const form = { value, ...ttl };
  const refresh = { refresh: "true", ttl: "4000" };
  switch (pick(KINDS)) {
    case "set":
      await send(url, "PUT", key, {}, form);
      return;
    case "create":
      await send(url, "PUT", key, { prevExist: "false" }, form);
      return;
    case "create in order":
      await send(url, "POST", directory, {}, form);
      return;
    case "update":
      await send(url, "PUT", key, { prevExist: "true" }, form);
      return;
    case "swap":
      await send(url, "PUT", key, { prevValue: pick(["1", "2"]) }, form);
      return;
    case "refresh":
      await send(url, "PUT", key, { prevExist: pick(["true", "true", ""]) }, refresh);
      return;
    case "make directory":
      await send(url, "PUT", key, { dir: "true" }, ttl);
      return;
    case "change directory":
      await send(url, "PUT", directory, { dir: "true", prevExist: "true" }, ttl);
      return;
    case "refresh directory":
      await send(url, "PUT", key, { dir: "true", prevExist: "true" }, refresh);
      return;
    case "delete":
      await send(url, "DELETE", key, pick([{}, { dir: "true" }, { recursive: "true" }]));
      return;
    case "compare and delete":
      await send(url, "DELETE", key, { prevValue: pick(["1", "2"]) });
      return;
    case "delete directory":
      await send(url, "DELETE", directory, { recursive: pick(["true", "false", "false"]) });
      return;
    case "read":
      await fetch(`${url}/v2/keys/?quorum=true`).then((response) => response.arrayBuffer());
      return;
    case "write to v3":
      await fetch(`${url}/v3/kv/put`, {
        method: "POST",
        body: JSON.stringify({ key: "YQ==", value: Buffer.alloc(300, 1).toString("base64") }),
      }).then((response) => response.arrayBuffer());
  }
}

const KINDS = [
  "set",
  "set",
  "set",
  "set",
  "create",
  "create in order",
  "update",
  "swap",
  "refresh",
  "make directory",
  "change directory",
  "refresh directory",
  "delete",
  "compare and delete",
  "delete directory",
  "read",
  "write to v3",
] as const;

/** The nodes of a cluster, with those below hidden keys, and the index of its store. */
export async function readTree(
  url: string,
): Promise<{ readonly index: number; readonly nodes: ReadonlyMap<string, SeenNode> }> {
  const nodes = new Map<string, SeenNode>();
  let index = 0;
  for (const top of ["/", ...HIDDEN, ...HIDDEN_LEAVES]) {
    const response = await fetch(
      `${url}/v2/keys${top.split("/").map(encodeURIComponent).join("/")}?recursive=true`,
    );
    index = Math.max(index, Number(response.headers.get("x-etcd-index")));
    const text = await response.text();
    if (response.status === 200) addNode(nodes, JSON.parse(text).node);
    else if (response.status !== 404 && response.status !== 400) throw new Error(text);
  }
  return { index, nodes };
}

interface JsonNode extends Omit<SeenNode, "expiration"> {
  readonly key?: string;
  readonly expiration?: string;
  readonly nodes?: readonly JsonNode[];
}

function addNode(
  nodes: Map<string, SeenNode>,
  { key, nodes: children, expiration, ...node }: JsonNode,
): void {
  const { value, dir, createdIndex, modifiedIndex } = node;
  if (key !== undefined) {
    nodes.set(key, {
      ...(value !== undefined && { value }),
      ...(dir && { dir }),
      ...(expiration !== undefined && { expiration: Date.parse(expiration) }),
      createdIndex,
      modifiedIndex,
    });
  }
  for (const child of children ?? []) addNode(nodes, child);
}
