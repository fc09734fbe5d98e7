import type { EtcdResponse } from "../model/response.js";
import { encodeAnswer } from "../wire/key-answer.js";

/** Writes events: one that goes to many watches at a time only once. */
export class EventEncoder {
  #last: EtcdResponse | undefined;
  #text = "";

  /** Not a generator: an event may go to thousands of watches at a time. */
  encode(events: AsyncIterable<EtcdResponse>): AsyncIterable<string> {
    return { [Symbol.asyncIterator]: () => this.#textsOf(events[Symbol.asyncIterator]()) };
  }

  #textsOf(events: AsyncIterator<EtcdResponse>): AsyncIterator<string, undefined> {
    return {
      next: async () => {
        const { done, value } = await events.next();
        return done ? { done, value: undefined } : { done: false, value: this.#textOf(value) };
      },
      return: async () => {
        await events.return?.();
        return { done: true, value: undefined };
      },
    };
  }

  /** Watches share an event's nodes, though each has an origin of its own. */
  #textOf(event: EtcdResponse): string {
    const last = this.#last;
    if (last?.node !== event.node || last.action !== event.action) {
      this.#last = event;
      this.#text = encodeAnswer(event);
    }
    return this.#text;
  }
}
