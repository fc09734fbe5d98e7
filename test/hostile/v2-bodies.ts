/** Bodies of the v2 API that etcd never sends, by what is wrong with them. */

const INDEXES = { modifiedIndex: 7, createdIndex: 7 };
const FILE = { key: "/a", value: "1", ...INDEXES };
const DIRECTORY = { key: "/d", dir: true, ...INDEXES };

const get = (node: unknown, more: object = {}): string =>
  JSON.stringify({ action: "get", node, ...more });

/** A node with a property whose JSON is given as text. */
const raw = (property: string, json: string): string =>
  `{"action":"get","node":{"key":"/a","value":"1","modifiedIndex":7,"createdIndex":7,"${property}":${json}}}`;

/** A directory in a directory, and so on. */
function nested(depth: number): string {
  const open = Array.from({ length: depth }, (_, at) => {
    const key = `/d${"/x".repeat(at % 50)}`;
    return `{"key":"${key}","dir":true,"modifiedIndex":1,"createdIndex":1,"nodes":[`;
  });
  return `{"action":"get","node":${open.join("")}${"]}".repeat(depth)}}`;
}

export const V2_BODIES: Readonly<Record<string, string>> = {
  null: "null",
  "a list": "[]",
  "no JSON": "{",
  "an empty body": "",
  "a number": "1e999",
  "a list in a list, and so on": "[".repeat(200_000) + "]".repeat(200_000),
  "an object in an object, and so on": `${'{"node":'.repeat(50_000)}1${"}".repeat(50_000)}`,
  "directories in directories": nested(5_000),
  "no node": '{"action":"get"}',
  "an empty node": get({}),
  "a node without a value": get({ key: "/a", ...INDEXES }),
  "a file without a value in a directory": get({
    ...DIRECTORY,
    nodes: [{ key: "/d/1", ...INDEXES }],
  }),
  "a file and a directory": get({ ...FILE, dir: true }),
  "a file with children": get({ ...FILE, nodes: [] }),
  "another key": get({ ...FILE, key: "/other" }),
  "a key without a slash": get({ ...FILE, key: "a" }),
  "an empty key": get({ ...FILE, key: "" }),
  "a child of another directory": get({ ...DIRECTORY, nodes: [{ ...FILE, key: "/e/1" }] }),
  "a grandchild as a child": get({ ...DIRECTORY, nodes: [{ ...FILE, key: "/d/1/2" }] }),
  "a child with a slash at the end": get({ ...DIRECTORY, nodes: [{ ...FILE, key: "/d/" }] }),
  "a child that leads out": get({ ...DIRECTORY, nodes: [{ ...FILE, key: "/d/.." }] }),
  "the same child twice": get({ ...DIRECTORY, nodes: Array(2).fill({ ...FILE, key: "/d/1" }) }),
  "a child of a wrong type": get({ ...DIRECTORY, nodes: [null, 1, "x"] }),
  "children that are an object": get({ ...DIRECTORY, nodes: {} }),
  "a negative index": get({ ...FILE, modifiedIndex: -1 }),
  "an index with a fraction": get({ ...FILE, createdIndex: 1.5 }),
  "an index as text": get({ ...FILE, createdIndex: "7" }),
  "an infinite index": raw("modifiedIndex", "1e999"),
  "an index beyond 2^53": raw("modifiedIndex", "9007199254740993"),
  "an infinite TTL": raw("ttl", "1e999"),
  "a TTL as text": get({ ...FILE, ttl: "5" }),
  "a large TTL": get({ ...FILE, ttl: 2 ** 53 - 1, expiration: "9999-99-99T99:99:99Z" }),
  "an expiration that is no time": get({ ...FILE, ttl: 5, expiration: "tomorrow" }),
  "dir that is false": get({ ...FILE, dir: false }),
  "the key __proto__": raw("__proto__", '{"polluted":1}'),
  "an unknown action": JSON.stringify({ action: "explode", node: FILE }),
  "a set": JSON.stringify({ action: "set", node: FILE }),
  "an expiry": JSON.stringify({
    action: "expire",
    node: { key: "/a", ...INDEXES },
    prevNode: FILE,
  }),
  "a previous node of a wrong type": JSON.stringify({ action: "set", node: FILE, prevNode: 5 }),
  "an event in the past": JSON.stringify({ action: "set", node: { ...FILE, modifiedIndex: 1 } }),
  "an event far in the future": JSON.stringify({
    action: "set",
    node: { ...FILE, modifiedIndex: 2 ** 53 - 1 },
  }),
  "an event of another key": JSON.stringify({
    action: "set",
    node: { ...FILE, key: "/elsewhere" },
  }),
  "no members": '{"members":[]}',
  "members of a wrong type": '{"members":[null]}',
  "members whose URLs are no URLs":
    '{"members":[{"id":"1","name":"","peerURLs":[""],"clientURLs":["x","http://[","ftp://a"]}]}',
  "many members": JSON.stringify({
    members: Array.from({ length: 500 }, (_, at) => ({
      ...{
        id: `${at}`,
        name: "",
        peerURLs: [],
        clientURLs: [`http://127.0.0.1:1/${at}`, `http://127.0.0.1:${at + 1}`],
      },
    })),
  }),
  "an empty version": '{"etcdserver":"","etcdcluster":""}',
  "a version that is no version": '{"etcdserver":"<b>","etcdcluster":"\\u001b[2J"}',
  "health of another type": '{"health":true}',
  "infinite statistics": '{"getsSuccess":1e999,"watchers":-1}',
  "statistics without most fields":
    '{"getsSuccess":1,"watchers":1,"id":"1","state":"","leaderInfo":{"leader":""}}',
  "followers of a wrong type":
    '{"leader":"1","followers":{"a":null,"b":{"latency":{},"counts":5}}}',
  "a role without permissions": '{"role":"r","permissions":{"kv":null}}',
  "users of a wrong type": '{"users":[{"user":5}],"roles":[{"role":5}],"user":"u","enabled":"no"}',
};
