import { toHexId } from "../../etcd3/hex-id.js";
import { message } from "../../etcd3/protobuf/message-type.js";
import { isObject, readJson } from "../../wire/json.js";
import type { StoredMember, V3StoreFacts } from "../directory-facts.js";
import { BoltFile } from "./bolt-file.js";

/** The key of an alarm; its value is empty. */
const ALARM = message({ memberId: [1, "uid"], alarm: [2, ["NONE", "NOSPACE", "CORRUPT"]] });

/**
 * Reads what the v3 store of a member has about the cluster.
 *
 * @param file etcd's `member/snap/db`
 * @throws Error for a file that is missing or damaged
 */
export function readV3Store(file: string): V3StoreFacts {
  using store = new BoltFile(file);
  const index = store.bucket("meta").get("consistent_index");
  return {
    clusterVersion: store.bucket("cluster").get("clusterVersion")?.toString(),
    consistentIndex: index?.length === 8 ? Number(index.readBigUInt64BE()) : 0,
    members: [...store.bucket("members").values()].map(memberOf),
    alarms: [...store.bucket("alarm").keys()].map(
      (key) => ALARM.decode(Buffer.from(key, "latin1")).alarm,
    ),
  };
}

/** A member's id is a JSON number that JavaScript cannot read exactly. */
const ID = /"id":(\d{1,20})\b/;

function memberOf(json: Buffer): StoredMember {
  const text = json.toString();
  const member = readJson(text);
  const [, id] = ID.exec(text) ?? [];
  if (!isObject(member) || id === undefined) throw new Error("a member in the v3 store has no id");
  return { id: toHexId(id), isLearner: member.isLearner === true };
}
