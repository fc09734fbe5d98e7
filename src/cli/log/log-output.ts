import { writeSync } from "node:fs";
import { Socket } from "node:net";
import type { Writable } from "node:stream";
import { logCounters } from "../../server/metrics/log-counters.js";

/** Where log lines go. */
export interface LogOutput {
  /** Writes a line at once, or drops it. */
  write(line: string): void;
  /** Resolves when everything was written, at the latest after this time. */
  flush(milliseconds: number): Promise<void>;
}

/** File descriptor. */
const STANDARD_ERROR = 2;

/** Bytes that wait for the reader of the log. Further lines are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** The log on standard error. `onFlow` is called with the number of dropped lines when the log flows again. */
export function standardError(onFlow: (dropped: number) => void): LogOutput {
  const stderr: Writable = process.stderr;
  // Node writes to files synchronously. After a failed write, such as on a full disk, its stream stays closed.
  return stderr instanceof Socket
    ? new StreamOutput(stderr, onFlow)
    : new FileOutput(STANDARD_ERROR, onFlow);
}

/** The lines dropped since the log last flowed. */
class DroppedLines {
  readonly #onFlow: (dropped: number) => void;
  #count = 0;

  constructor(onFlow: (dropped: number) => void) {
    this.#onFlow = onFlow;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  add(): void {
    this.#count++;
    logCounters.droppedLines++;
  }

  /** Reports them because the log flows again. */
  report(): void {
    const dropped = this.#count;
    this.#count = 0;
    if (dropped > 0) this.#onFlow(dropped);
  }
}

/** A terminal, or a pipe or socket whose reader may stop reading or go away. */
export class StreamOutput implements LogOutput {
  readonly #stream: Writable;
  readonly #dropped: DroppedLines;

  constructor(stream: Writable, onFlow: (dropped: number) => void) {
    this.#stream = stream;
    this.#dropped = new DroppedLines(onFlow);
    stream.on("drain", () => this.#dropped.report());
  }

  write(line: string): void {
    const isBlocked = !this.#dropped.isEmpty || this.#stream.writableLength > MAX_WAITING_BYTES;
    if (isBlocked) this.#dropped.add();
    else this.#stream.write(line, (error) => error && this.#dropped.add());
  }

  flush(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#stream.write("", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** A file. A failed write, such as on a full disk, is tried again with the next line. */
class FileOutput implements LogOutput {
  readonly #fd: number;
  readonly #dropped: DroppedLines;

  constructor(fd: number, onFlow: (dropped: number) => void) {
    this.#fd = fd;
    this.#dropped = new DroppedLines(onFlow);
  }

  write(line: string): void {
    try {
      writeSync(this.#fd, line);
      this.#dropped.report();
    } catch {
      this.#dropped.add();
    }
  }

  async flush(): Promise<void> {}
}
