import type { Clock } from "../../time/clock.js";

/** Milliseconds between two states of the line on a terminal, and between two lines elsewhere. */
const EVERY = { terminal: 200, elsewhere: 10_000 };
const TO_LINE_START = "\r\x1b[2K";

/**
 * One line on standard error that tells how far it is: on a terminal it changes in place, elsewhere
 * a new one comes now and then.
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

  /** `text` is only made when it is time to show it. */
  show(text: () => string): void {
    const now = this.#clock.monotonic();
    if (now < this.#notBefore) return;
    this.#notBefore = now + (this.#stream.isTTY ? EVERY.terminal : EVERY.elsewhere);
    this.#write(text());
  }

  /** Says what is not to be replaced by the next state. */
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
    // A line that wraps could not be taken back.
    this.#stream.write(text.slice(0, this.#stream.columns - 1));
    this.#isOpen = true;
  }

  /** Takes the line back from a terminal. */
  clear(): void {
    if (this.#isOpen) this.#stream.write(TO_LINE_START);
    this.#isOpen = false;
  }
}
