import { type MessageOf, message } from "../etcd3/protobuf/message-type.js";

/** etcd's messages in the files of a member. Fields that are not needed are left out. */

/** A record of the write-ahead log. */
export const WalRecordMessage = message({
  type: [1, "natural"],
  /** CRC-32C of the data of this record and of all records before it. */
  crc: [2, "natural"],
  data: [3, "bytes"],
});

export const MetadataMessage = message({ nodeId: [1, "uid"], clusterId: [2, "uid"] });

export const HardStateMessage = message({
  term: [1, "natural"],
  vote: [2, "uid"],
  commit: [3, "natural"],
});

/** An entry of raft's log. Type 0: a request; 1: a change of the membership. */
export const EntryMessage = message({
  type: [1, "natural"],
  term: [2, "natural"],
  index: [3, "natural"],
  data: [4, "bytes"],
});
export type Entry = MessageOf<typeof EntryMessage>;

const ConfStateMessage = message({
  voters: [1, "uid", "repeated"],
  learners: [2, "uid", "repeated"],
});

/** The file of a snapshot. */
export const SnapshotFileMessage = message({ crc: [1, "natural"], data: [2, "bytes"] });

export const RaftSnapshotMessage = message({
  /** etcd's v2 store as JSON. */
  data: [1, "bytes"],
  metadata: [
    2,
    message({ confState: [1, ConfStateMessage], index: [2, "natural"], term: [3, "natural"] }),
  ],
});

export const ConfChangeMessage = message({
  type: [2, ["addNode", "removeNode", "updateNode", "addLearnerNode"]],
  nodeId: [3, "uid"],
  /** JSON. */
  context: [4, "bytes"],
});

/** A request of the v2 API. Times are in nanoseconds since 1970. */
export const V2RequestMessage = message({
  method: [2, "bytes"],
  path: [3, "bytes"],
  value: [4, "bytes"],
  dir: [5, "flag"],
  prevValue: [6, "bytes"],
  prevIndex: [7, "uid"],
  /** Repeated only in this definition, so that its absence is visible. */
  prevExist: [8, "flag", "repeated"],
  expiration: [9, "id"],
  recursive: [12, "flag"],
  time: [15, "id"],
  refresh: [17, "flag"],
});
export type V2Request = MessageOf<typeof V2RequestMessage>;

/** What an entry of type 0 contains, unless it is a V2Request itself. */
export const RaftRequestMessage = message({
  v2: [2, V2RequestMessage],
  clusterVersionSet: [1300, message({ version: [1, "bytes"] })],
  memberAttributesSet: [
    1301,
    message({
      memberId: [1, "uid"],
      attributes: [2, message({ name: [1, "text"], clientUrls: [2, "text", "repeated"] })],
    }),
  ],
});
