import type { MemoryKeySpace } from "../../src/key-space/memory/memory-key-space.js";
import type { Scan, WatchRequests } from "../../src/key-space/remote/watch/watch-requests.js";
import { matchesWatch } from "../../src/key-space/shared/matches-watch.js";
import type { ScanRequest } from "../../src/model/key-request.js";

/**
 * The watch requests of a v2 server with a store in memory. A test can pass its own `openWatch`, for
 * example to break connections.
 */
export function memoryWatchRequests(
  memory: () => MemoryKeySpace,
  openWatch: WatchRequests["openWatch"] = (request, options) =>
    memory().openWatch(request, options),
): WatchRequests {
  return {
    openWatch,
    probe: async () => ({ etcdClusterId: memory().clusterId, index: memory().index }),
    async scan(request: ScanRequest): Promise<Scan> {
      const { key, recursive, since } = request;
      // Rejects an index that the history no longer has.
      const watch = await memory().openWatch({ key, recursive, waitIndex: since, stream: true });
      const { etcdServer, etcdClusterId, etcdIndex, raftIndex, raftTerm } = watch;
      const origin = { etcdServer, etcdClusterId, etcdIndex, raftIndex, raftTerm };
      watch.close();
      const events = memory()
        .snapshot()
        .history.filter((event) => event.node.modifiedIndex >= since && !event.silent)
        .filter((event) => matchesWatch(request, event))
        .map((event) => ({ ...event, ...origin }));
      return { ...origin, events, provenIndex: etcdIndex };
    },
  };
}
