// @ts-check
/** Checks that results have the shape that their types promise: a server must not be able to make up others. */
import assert from "node:assert/strict";

/** @param {any} value @param {string} what */
export function index(value, what) {
  assert.ok(Number.isSafeInteger(value) && value >= 0, `${what} is ${value}`);
}

/** @param {any} value @param {string} what */
export function text(value, what) {
  assert.equal(typeof value, "string", what);
}

/** @param {any} value @param {string} what */
export function texts(value, what) {
  assert.ok(Array.isArray(value), what);
  for (const each of value) text(each, `an item of ${what}`);
}

/** @param {any} value @param {string} what */
function number(value, what) {
  assert.ok(Number.isFinite(value) && value >= 0, `${what} is ${value}`);
}

/** @param {any} value @param {string} what */
function flag(value, what) {
  assert.equal(typeof value, "boolean", what);
}

/**
 * A node and everything below it. `parent` is the key of its parent.
 *
 * @param {any} top @param {string} [parent]
 */
export function node(top, parent) {
  const unchecked = [{ each: top, parent }];
  for (let next = unchecked.pop(); next !== undefined; next = unchecked.pop()) {
    const { each } = next;
    nodeProperties(each, next.parent);
    assert.ok(
      each.dir === true || typeof each.value === "string",
      "a node is no file and no directory",
    );
    assert.ok(
      each.dir === true ? each.value === undefined : each.nodes === undefined,
      "a node is both",
    );
    for (const child of each.nodes ?? []) unchecked.push({ each: child, parent: each.key });
  }
}

/** @param {any} each @param {string | undefined} parent */
function nodeProperties(each, parent) {
  const { key, dir, value, ttl, expiration, modifiedIndex, createdIndex } = each;
  assert.match(key, /^\//, "a key");
  index(modifiedIndex, "modifiedIndex");
  index(createdIndex, "createdIndex");
  assert.ok(dir === undefined || dir === true, "dir");
  assert.ok(value === undefined || typeof value === "string", "value");
  assert.ok(ttl === undefined || Number.isSafeInteger(ttl), "ttl");
  assert.ok(expiration === undefined || !Number.isNaN(Date.parse(expiration)), "expiration");
  if (parent === undefined) return;
  const prefix = parent === "/" ? "/" : `${parent}/`;
  const isChild =
    key.startsWith(prefix) && key.length > prefix.length && !key.includes("/", prefix.length);
  assert.ok(isChild, `${key} is listed in ${parent}`);
}

/** @param {any} value */
export function origin(value) {
  text(value.etcdServer, "etcdServer");
  text(value.etcdClusterId, "etcdClusterId");
  index(value.etcdIndex, "etcdIndex");
  index(value.raftIndex, "raftIndex");
  index(value.raftTerm, "raftTerm");
}

const REMOVALS = new Set(["delete", "compareAndDelete", "expire"]);

/** @param {any} value @param {string} [action] */
export function response(value, action) {
  origin(value);
  if (action !== undefined) assert.equal(value.action, action);
  if (REMOVALS.has(value.action)) {
    nodeProperties(value.node, undefined);
    assert.equal(value.node.nodes, undefined, "the children of a removed node");
  } else node(value.node);
  if (value.prevNode !== undefined) node(value.prevNode);
}

/** The response to a request for `key`. @param {any} value @param {string} key */
export function responseTo(value, key) {
  response(value);
  assert.equal(value.node.key, key);
}

/** @param {any} item @param {string} key */
export function watchItem(item, key) {
  if (item.type === "resync") {
    index(item.index, "index of a resync");
    if (item.response !== null) response(item.response);
    return;
  }
  response(item.response ?? item);
  const at = (item.response ?? item).node.key;
  const isWithin =
    at === key || at.startsWith(`${key}/`) || `${key}/`.startsWith(at === "/" ? at : `${at}/`);
  assert.ok(isWithin, `${at} is outside of ${key}`);
}

/** @param {any} value */
export function member(value) {
  text(value.id, "id");
  text(value.name, "name");
  texts(value.peerURLs, "peerURLs");
  texts(value.clientURLs, "clientURLs");
}

/** @param {any} value */
export function members(value) {
  assert.ok(Array.isArray(value));
  for (const each of value) member(each);
}

/** @param {any} value */
export function urls(value) {
  texts(value, "URLs");
  for (const url of value) assert.ok(URL.canParse(url), `${url} is no URL`);
}

/** @param {any} value */
export function version({ etcdserver, etcdcluster, gateway }) {
  for (const version of [etcdserver, etcdcluster]) {
    text(version, "version");
    assert.doesNotMatch(version, /undefined|NaN/);
  }
  if (gateway !== undefined) text(gateway.keyPrefix, "keyPrefix");
}

/** @param {any} value */
export function health(value) {
  assert.ok(Array.isArray(value));
  for (const { endpoint, healthy, reason } of value) {
    text(endpoint, "endpoint");
    flag(healthy, "healthy");
    if (reason !== undefined) text(reason, "reason");
  }
}

/** @param {any} value */
export function storeStats(value) {
  for (const name of ["getsSuccess", "setsFail", "createFail", "expireCount", "watchers"])
    number(value[name], name);
}

/** @param {any} value */
export function selfStats(value) {
  for (const name of ["name", "id", "state", "startTime"]) text(value[name], name);
  for (const name of ["leader", "uptime", "startTime"]) text(value.leaderInfo[name], name);
  for (const name of ["recvAppendRequestCnt", "sendAppendRequestCnt"]) number(value[name], name);
  for (const name of ["recvPkgRate", "sendBandwidthRate"])
    if (value[name] !== undefined) number(value[name], name);
}

/** @param {any} value */
export function leaderStats({ leader, followers }) {
  text(leader, "leader");
  for (const { latency, counts } of Object.values(followers)) {
    for (const name of ["current", "average", "maximum"]) number(latency[name], name);
    for (const name of ["fail", "success"]) number(counts[name], name);
  }
}

/** @param {any} value */
export function role({ role, permissions: { kv } }) {
  text(role, "role");
  for (const patterns of [kv.read, kv.write]) if (patterns !== null) texts(patterns, "patterns");
}

/** @param {any} value */
export function user({ user, roles = [] }) {
  text(user, "user");
  for (const each of roles) role(each);
}

/** @param {any} value */
export function userWithRoleNames({ user, roles }) {
  text(user, "user");
  if (roles !== null) texts(roles, "roles");
}

/** @param {(item: any) => void} check @returns {(value: any) => void} */
export function listOf(check) {
  return (value) => {
    assert.ok(Array.isArray(value));
    for (const item of value) check(item);
  };
}
