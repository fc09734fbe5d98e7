import { toHexId } from "../../../etcd3/hex-id.js";
import type { V3Member } from "../../../etcd3/rpcs.js";
import type { Member } from "../../../model/cluster.js";

/** Converts members to v2's form, sorted by id. */
export function membersOf(members: readonly V3Member[]): readonly Member[] {
  const sortKey = ({ id }: Member): string => id.padStart(16, "0");
  return members.map(memberOf).sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

/** Converts a member to v2's form. */
export function memberOf({ ID, name, peerURLs, clientURLs }: V3Member): Member {
  return { id: toHexId(ID), name, peerURLs, clientURLs };
}
