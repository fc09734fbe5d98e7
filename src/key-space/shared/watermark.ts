/** A number that increases, and callers that wait for it to reach a value. */
export class Watermark {
  readonly #waiting = new Set<() => void>();
  #reached = 0;

  get reached(): number {
    return this.#reached;
  }

  /** Sets the number. It may be lower than before, when the count starts again. */
  set(reached: number): void {
    this.#reached = reached;
    for (const check of this.#waiting) check();
  }

  /** Calls back once, when the number is reached. The returned function cancels the callback. */
  whenReached(number: number, callback: () => void): () => void {
    const cancel = (): void => void this.#waiting.delete(check);
    const check = (): void => {
      if (this.#reached < number) return;
      cancel();
      callback();
    };
    this.#waiting.add(check);
    check();
    return cancel;
  }
}
