import type { AnyNode } from "../../model/node.js";
import type { EtcdResponse } from "../../model/response.js";
import { encodeResponse, responsePieces } from "../../wire/encode-response.js";
import type { PiecedBody } from "./message.js";
import type { TurnScheduler } from "./turn-scheduler.js";

/** Number of characters that are encoded in one turn of the event loop. */
const PORTION_CHARS = 64 * 1024;

/** Bytes of a node in addition to its texts, in memory and in JSON. */
const NODE_BYTES = 72;

/**
 * The body for a response of the key space. A large one is encoded in portions, each after the client has
 * read the previous one. So the complete text is never in memory, and other requests are served between
 * the portions.
 */
export function responseBody(response: EtcdResponse, turns: TurnScheduler): string | PiecedBody {
  const { node, prevNode } = response;
  const size = sizeOf(node) + (prevNode === undefined ? 0 : sizeOf(prevNode));
  return size < PORTION_CHARS ? encodeResponse(response) : new LargeResponse(response, size, turns);
}

class LargeResponse implements PiecedBody {
  readonly #pieces: Iterator<string>;
  readonly #turns: TurnScheduler;
  #left: number;

  constructor(response: EtcdResponse, size: number, turns: TurnScheduler) {
    this.#pieces = responsePieces(response);
    this.#left = size;
    this.#turns = turns;
  }

  get heldBytes(): number {
    return this.#left;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    for (;;) {
      await this.#turns.next();
      const portion = this.#encode();
      if (portion === "") return;
      yield portion;
    }
  }

  /** The next portion; empty at the end. */
  #encode(): string {
    const pieces: string[] = [];
    let length = 0;
    while (length < PORTION_CHARS) {
      const { done, value } = this.#pieces.next();
      if (done === true) break;
      pieces.push(value);
      length += value.length;
    }
    this.#left = Math.max(0, this.#left - length);
    return pieces.join("");
  }
}

/** Estimates the size without encoding. No recursion: a tree may be deeper than the stack. */
function sizeOf(top: AnyNode): number {
  let size = sizeWithoutNodes(top);
  const directories = [top];
  for (let next = directories.pop(); next !== undefined; next = directories.pop()) {
    for (const child of next.nodes ?? []) {
      size += sizeWithoutNodes(child);
      if (child.nodes !== undefined) directories.push(child);
    }
  }
  return size;
}

function sizeWithoutNodes({ key, value = "" }: AnyNode): number {
  return NODE_BYTES + key.length + value.length;
}
