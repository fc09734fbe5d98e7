import type { EtcdResponse } from "../../model/response.js";
import type { KeyWatch } from "../key-space.js";

/** Returns the watch with other events, which may prove more than the watch itself. */
export function withEvents(
  watch: KeyWatch,
  events: AsyncIterator<EtcdResponse, undefined>,
  provenIndex = (): number => watch.provenIndex,
): KeyWatch {
  const { etcdServer, etcdClusterId, etcdIndex, raftIndex, raftTerm } = watch;
  return {
    etcdServer,
    etcdClusterId,
    etcdIndex,
    raftIndex,
    raftTerm,
    get provenIndex() {
      return provenIndex();
    },
    close: () => watch.close(),
    [Symbol.asyncIterator]: () => events,
  };
}
