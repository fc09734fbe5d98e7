import type { V3Call } from "../../../etcd3/v3-api.js";
import { type Clock, socketTimeout } from "../../../time/clock.js";
import type { RevisionStream, Revisions } from "./revision-stream.js";

/**
 * Reads from a stream, and closes it when no byte arrives for the given time. A large message that
 * is still being received is no silence.
 *
 * @throws the errors of the stream
 */
export async function nextBeforeSilence(
  stream: RevisionStream,
  milliseconds: number,
  clock: Clock,
  call: V3Call,
): Promise<Revisions | "silence" | undefined> {
  let isSilent = false;
  let cancel = (): void => {};
  const startTimeout = (): void => {
    const { received } = stream;
    cancel = socketTimeout(clock, milliseconds, () => {
      isSilent = stream.received === received;
      if (isSilent) stream.close();
      else startTimeout();
    });
  };
  startTimeout();
  const revisions = await stream.next(call).finally(() => cancel());
  return revisions === undefined && isSilent ? "silence" : revisions;
}
