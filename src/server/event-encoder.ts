import type { EtcdResponse } from "../model/response.js";
import { encodeAnswer } from "../wire/key-answer.js";

/** Writes events: one that goes to many watches at a time only once. */
export class EventEncoder {
  #last: EtcdResponse | undefined;
  #text = "";

  async *encode(events: AsyncIterable<EtcdResponse>): AsyncGenerator<string> {
    for await (const event of events) yield this.#textOf(event);
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
