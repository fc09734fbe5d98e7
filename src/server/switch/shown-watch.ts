import type { KeyWatch } from "../../key-space/key-space.js";
import type { EtcdResponse } from "../../model/response.js";

/** `undefined`: neither this event nor a later one is delivered. */
type Show = (event: EtcdResponse) => Promise<EtcdResponse | undefined>;

/** Events that are prepared while the reader has not taken the ones before. */
const MAX_AHEAD = 100;

/**
 * A watch of another cluster, whose events are shown in another form. It is read ahead: a watch that is read too slowly
 * ends.
 *
 * @param etcdClusterId that clients see
 */
export function shownWatch(watch: KeyWatch, etcdClusterId: string, show: Show): KeyWatch {
  const { etcdServer, etcdIndex, raftIndex, raftTerm } = watch;
  return {
    ...{ etcdServer, etcdClusterId, etcdIndex, raftIndex, raftTerm },
    get provenIndex() {
      return watch.provenIndex;
    },
    close: () => watch.close(),
    [Symbol.asyncIterator]: () => showAll(watch, show),
  };
}

async function* showAll(
  watch: KeyWatch,
  show: Show,
): AsyncGenerator<EtcdResponse, void, undefined> {
  const events = watch[Symbol.asyncIterator]();
  const ahead: Promise<EtcdResponse | undefined>[] = [];
  let hasEnded = false;
  let taking: Promise<void> | undefined;
  const takeOne = async (): Promise<void> => {
    const result = await events.next();
    taking = undefined;
    if (result.done === true) hasEnded = true;
    else {
      const shown = show(result.value);
      // An event that is not delivered any more may fail.
      shown.catch(() => {});
      ahead.push(shown);
    }
  };
  const take = (): Promise<void> => {
    taking ??= takeOne();
    taking.catch(() => {});
    return taking;
  };
  try {
    for (;;) {
      const [first] = ahead;
      if (first === undefined) {
        if (hasEnded) return;
        await take();
        continue;
      }
      if (!hasEnded && ahead.length < MAX_AHEAD) {
        const isShown = await Promise.race([first.then(() => true), take().then(() => false)]);
        if (!isShown) continue;
      }
      ahead.shift();
      const event = await first;
      if (event === undefined) return;
      yield event;
    }
  } finally {
    watch.close();
  }
}
