import { PartStream } from "./part-stream.js";

const NEWLINE = 0x0a;

/** A body in lines. */
export class LineStream extends PartStream {
  protected override split(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.keep(chunk.subarray(start, end));
      this.put(this.take());
      start = end + 1;
    }
    if (start < chunk.length) this.keep(chunk.subarray(start));
  }
}
