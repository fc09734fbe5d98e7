import type { EtcdResponse } from "../../model/response.js";
import { encodeResponse } from "../../wire/encode-response.js";

/** Encodes events. An event that goes to several watches at a time is encoded once. */
export class EventEncoder {
  #last: EtcdResponse | undefined;
  #text = "";

  /**
   * Not a generator, for speed: an event may go to thousands of watches at a time. `onEnd` is called when
   * the reader ends.
   */
  encode(events: AsyncIterable<EtcdResponse>, onEnd: () => void): AsyncIterable<string> {
    return { [Symbol.asyncIterator]: () => this.#textsOf(events[Symbol.asyncIterator](), onEnd) };
  }

  #textsOf(
    events: AsyncIterator<EtcdResponse>,
    onEnd: () => void,
  ): AsyncIterator<string, undefined> {
    return {
      next: async () => {
        try {
          const { done, value } = await events.next();
          if (!done) return { done: false, value: this.#textOf(value) };
          onEnd();
          return { done, value: undefined };
        } catch (error) {
          onEnd();
          throw error;
        }
      },
      return: async () => {
        onEnd();
        await events.return?.();
        return { done: true, value: undefined };
      },
    };
  }

  /** The events of several watches share their nodes but have different headers. */
  #textOf(event: EtcdResponse): string {
    const last = this.#last;
    if (last?.node !== event.node || last.action !== event.action) {
      this.#last = event;
      this.#text = encodeResponse(event);
    }
    return this.#text;
  }
}
