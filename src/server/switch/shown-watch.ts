import type { KeyWatch } from "../../key-space/key-space.js";
import type { EtcdResponse } from "../../model/response.js";

/** A watch whose events are shown in another form. */
export function shownWatch(
  watch: KeyWatch,
  show: (event: EtcdResponse) => Promise<EtcdResponse>,
): KeyWatch {
  const { etcdServer, etcdClusterId, etcdIndex, raftIndex, raftTerm } = watch;
  return {
    ...{ etcdServer, etcdClusterId, etcdIndex, raftIndex, raftTerm },
    get provenIndex() {
      return watch.provenIndex;
    },
    close: () => watch.close(),
    async *[Symbol.asyncIterator]() {
      for await (const event of watch) yield await show(event);
    },
  };
}
