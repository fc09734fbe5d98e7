import type { Clock } from "../../time/clock.js";

/** Interval between two updates of the line on a terminal, and between two lines elsewhere. */
const INTERVAL_MS = { terminal: 200, elsewhere: 10_000 };
/** For a terminal that does not say its width, such as a serial console. */
const DEFAULT_COLUMNS = 80;
const TO_LINE_START = "\r\x1b[2K";

/**
 * Shows progress on standard error: one line that is updated in place on a terminal, else a new line
 * periodically.
 */
export class ProgressLine {
  readonly #clock: Clock;
  readonly #stream: Pick<NodeJS.WriteStream, "isTTY" | "write" | "columns">;
  #notBefore: number;
  #isOpen = false;

  /** @param firstAfter milliseconds before the first state is shown */
  constructor(
    clock: Clock,
    stream: Pick<NodeJS.WriteStream, "isTTY" | "write" | "columns">,
    firstAfter = 0,
  ) {
    this.#clock = clock;
    this.#stream = stream;
    this.#notBefore = clock.monotonic() + firstAfter;
  }

  /** `text` is called only if it is time for an update. */
  show(text: () => string): void {
    const now = this.#clock.monotonic();
    if (now < this.#notBefore) return;
    this.#notBefore = now + (this.#stream.isTTY ? INTERVAL_MS.terminal : INTERVAL_MS.elsewhere);
    this.#write(text());
  }

  /** Shows a text at once, until the next update. */
  hint(text: string): void {
    this.#write(text);
  }

  /** Prints a line that the next update does not replace. */
  note(text: string): void {
    this.clear();
    this.#stream.write(`${text}\n`);
  }

  #write(text: string): void {
    this.clear();
    if (!this.#stream.isTTY) {
      this.#stream.write(`${text}\n`);
      return;
    }
    // A line that wraps could not be erased.
    this.#stream.write(text.slice(0, (this.#stream.columns || DEFAULT_COLUMNS) - 1));
    this.#isOpen = true;
  }

  /** Erases the line on a terminal. */
  clear(): void {
    if (this.#isOpen) this.#stream.write(TO_LINE_START);
    this.#isOpen = false;
  }
}
