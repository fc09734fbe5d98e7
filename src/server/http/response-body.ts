import type { EtcdNode } from "../../model/node.js";
import type { EtcdResponse } from "../../model/response.js";
import { answerPieces, encodeAnswer } from "../../wire/key-answer.js";
import type { PiecedBody } from "./message.js";
import type { Turns } from "./turns.js";

/** Characters that are encoded in one turn of the event loop. */
const PORTION = 64 * 1024;

/** Bytes that a node takes beside its texts, in memory and in JSON. */
const NODE_BYTES = 72;

/**
 * An answer as the body of a reply. A large one is encoded portion by portion, each when the client
 * has taken the one before: so it is never all in memory, and others are answered meanwhile.
 */
export function answerBody(answer: EtcdResponse, turns: Turns): string | PiecedBody {
  const { node, prevNode } = answer;
  const size = sizeOf(node) + (prevNode === undefined ? 0 : sizeOf(prevNode));
  return size < PORTION ? encodeAnswer(answer) : new LargeAnswer(answer, size, turns);
}

class LargeAnswer implements PiecedBody {
  readonly #pieces: Iterator<string>;
  readonly #turns: Turns;
  #left: number;

  constructor(answer: EtcdResponse, size: number, turns: Turns) {
    this.#pieces = answerPieces(answer);
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

  /** Nothing at the end. */
  #encode(): string {
    const pieces: string[] = [];
    let length = 0;
    while (length < PORTION) {
      const { done, value } = this.#pieces.next();
      if (done === true) break;
      pieces.push(value);
      length += value.length;
    }
    this.#left = Math.max(0, this.#left - length);
    return pieces.join("");
  }
}

/** An estimate, for which nothing is encoded. No recursion: a tree may be deeper than the stack. */
function sizeOf(top: EtcdNode): number {
  let size = 0;
  const waiting = [top];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    size += NODE_BYTES + node.key.length + (node.value?.length ?? 0);
    for (const child of node.nodes ?? []) waiting.push(child);
  }
  return size;
}
