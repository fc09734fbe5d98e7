import { isUtf8 } from "node:buffer";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { textOf } from "../../data-dir/bytes.js";
import { readMemberData } from "../../data-dir/read-member-data.js";
import { newestSnapshot } from "../../data-dir/snapshot-files.js";
import type { SnapshotNode } from "../../key-space/memory/store-walk.js";
import type { Checked } from "../checked.js";
import type { V2Auth } from "../cluster-facts.js";
import type { DirectoryFacts, SnapshotFacts, V3StoreFacts } from "../directory-facts.js";
import { V2Census, type V2Facts } from "../v2-census.js";
import { readV3Store } from "./v3-store-facts.js";

/** Where etcd's v2 store has the keys of applications, and users and roles. */
const KEYS = "/1";
const USERS = "/2/users/";
const ROLES = "/2/roles/";
const AUTH_ENABLED = "/2/enabled";

/**
 * Reads the files of a member that does not run. Writes nothing.
 *
 * @param dataDir etcd's `--data-dir`
 * @param walDir etcd's `--wal-dir`, if the member has one
 * @throws Error when the files cannot be read, or a running member uses them
 */
export function collectDirectory(dataDir: string, walDir?: string): DirectoryFacts {
  // Entries that are not known to be committed may be committed when the member starts.
  const data = readMemberData(dataDir, { walDirectory: walDir, uncommitted: true });
  const { id, membership, requests, store, log, snapshot, warnings } = data;
  const snap = join(memberDirectory(dataDir), "snap");
  const stored = snapshot && newestSnapshot(snap, log.commit, () => {});
  const v3 = v3Facts(join(snap, "db"));
  const own = membership.members.find((member) => member.id === id);
  const { nodes } = store;
  return {
    start: {
      dataDir,
      walDir,
      name: own?.name || "NAME",
      clientURLs: own?.clientURLs ?? [],
      peerURLs: own?.peerURLs ?? [],
    },
    clusterVersion: membership.version ?? ("value" in v3 ? v3.value.clusterVersion : undefined),
    members: membership.members.map(({ id, isLearner }) => ({ id, isLearner })),
    snapshot: stored && { index: stored.index, ...snapshotFacts(stored.store.nodes) },
    requests,
    v2: v2Facts(nodes),
    v2Auth: v2Auth(nodes),
    v3,
    warnings,
  };
}

function memberDirectory(dataDir: string): string {
  const member = join(dataDir, "member");
  return existsSync(member) ? member : dataDir;
}

function v3Facts(file: string): Checked<V3StoreFacts> {
  try {
    return { value: readV3Store(file) };
  } catch (error) {
    return { unchecked: error instanceof Error ? error.message : String(error) };
  }
}

/** Keys and values are strings with one character per byte. */
function v2Facts(nodes: readonly SnapshotNode[]): V2Facts {
  const census = new V2Census();
  for (const [path, content, , , expiration] of nodes) {
    if (!path.startsWith(`${KEYS}/`)) continue;
    census.add({
      key: textOf(path.slice(KEYS.length)),
      ...(content !== null && { value: textOf(content) }),
      hasTtl: expiration !== null,
      isText: isText(path) && (content === null || isText(content)),
    });
  }
  return census.result();
}

/** A snapshot has U+FFFD in place of bytes that are not UTF-8. */
function isText(bytes: string): boolean {
  const buffer = Buffer.from(bytes, "latin1");
  return isUtf8(buffer) && !buffer.includes("\ufffd");
}

function v2Auth(nodes: readonly SnapshotNode[]): V2Auth {
  const namesBelow = (directory: string): string[] =>
    nodes.flatMap(([path]) =>
      path.startsWith(directory) ? [textOf(path.slice(directory.length))] : [],
    );
  return {
    isEnabled: nodes.some(([path, content]) => path === AUTH_ENABLED && content === "true"),
    users: namesBelow(USERS),
    roles: namesBelow(ROLES),
  };
}

/** What etcd 3.6 looks for in the v2 store of a snapshot. It does not see hidden keys. */
function snapshotFacts(nodes: readonly SnapshotNode[]): Omit<SnapshotFacts, "index"> {
  const { users, roles } = v2Auth(nodes);
  return { tops: v2Facts(nodes).tops, auth: users.length + roles.length };
}
