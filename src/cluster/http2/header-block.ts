import { CODE, Http2Error } from "./frame.js";

/** Of the encoded fields of a response. */
const MAX_BYTES = 64 * 1024;
const MAX_FRAMES = 64;

/** A header block in several frames. */
export class HeaderBlock {
  readonly stream: number;
  readonly endsStream: boolean;
  readonly #fragments: Buffer[] = [];
  #size = 0;

  constructor(stream: number, endsStream: boolean) {
    this.stream = stream;
    this.endsStream = endsStream;
  }

  /** @throws Http2Error when it is too long */
  add(fragment: Buffer): void {
    this.#size += fragment.length;
    this.#fragments.push(fragment);
    if (this.#size > MAX_BYTES || this.#fragments.length > MAX_FRAMES) {
      throw new Http2Error(CODE.enhanceYourCalm, "a header block is too long");
    }
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#fragments);
  }
}
