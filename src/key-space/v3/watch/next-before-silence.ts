import type { V3Call } from "../../../etcd3/v3-api.js";
import { type Clock, deadline } from "../../../time/clock.js";
import type { RevisionStream, Revisions } from "./revision-stream.js";

/**
 * Reads from a stream, and closes it when no byte has come for so many milliseconds. While a large
 * message is being received there is no silence.
 *
 * @throws what the stream throws
 */
export async function nextBeforeSilence(
  stream: RevisionStream,
  milliseconds: number,
  clock: Clock,
  call: V3Call,
): Promise<Revisions | "silence" | undefined> {
  let isSilent = false;
  let cancel = (): void => {};
  const listen = (): void => {
    const { received } = stream;
    cancel = deadline(clock, milliseconds, () => {
      isSilent = stream.received === received;
      if (isSilent) stream.close();
      else listen();
    });
  };
  listen();
  const news = await stream.next(call).finally(() => cancel());
  return news === undefined && isSilent ? "silence" : news;
}
