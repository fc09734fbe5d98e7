import type { EtcdResponse } from "../../model/response.js";
import type { KeyWatch } from "../key-space.js";

/** Returns the watch with other events. */
export function withEvents(
  watch: KeyWatch,
  events: AsyncIterator<EtcdResponse, undefined>,
): KeyWatch {
  const { etcdServer, etcdClusterId, etcdIndex, raftIndex, raftTerm } = watch;
  return {
    etcdServer,
    etcdClusterId,
    etcdIndex,
    raftIndex,
    raftTerm,
    get provenIndex() {
      return watch.provenIndex;
    },
    close: () => watch.close(),
    [Symbol.asyncIterator]: () => events,
  };
}
