import type { Member } from "../model/cluster.js";
import { isObject, type JsonObject } from "../wire/json.js";
import { readId, toHexId } from "./v3-json.js";

/** Members in v2's form, sorted by id. */
export function readMembers({ members }: JsonObject): readonly Member[] {
  const list = Array.isArray(members) ? members.filter(isObject).map(readMember) : [];
  return list.sort((a, b) => (a.id.padStart(16, "0") < b.id.padStart(16, "0") ? -1 : 1));
}

/** Converts a member of the v3 API to v2's form. */
export function readMember({ ID, name, peerURLs, clientURLs }: JsonObject): Member {
  return {
    id: toHexId(readId(ID)),
    name: typeof name === "string" ? name : "",
    peerURLs: textsIn(peerURLs),
    clientURLs: textsIn(clientURLs),
  };
}

function textsIn(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.map(String) : [];
}
