interface Waiting<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(failure: Error): void;
}

/**
 * Items on their way from a source that pushes to one reader that pulls, in order. A reader may ask
 * again before it was answered: as with a generator, it is answered in the order of its questions.
 */
export class AsyncQueue<T> implements AsyncIterator<T, undefined> {
  readonly #items: T[] = [];
  readonly #waiting: Waiting<T>[] = [];
  #ended = false;
  #failure: Error | undefined;
  /** Called once, when nothing more will be put in. */
  onEnd: () => void = () => {};

  /** Items that wait for the reader. */
  get size(): number {
    return this.#items.length;
  }

  /** The item that the reader takes next. */
  get first(): T | undefined {
    return this.#items[0];
  }

  /** Questions of the reader that wait for an item. */
  get awaited(): number {
    return this.#waiting.length;
  }

  get ended(): boolean {
    return this.#ended;
  }

  put(item: T): void {
    if (this.#ended) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#items.push(item);
    else waiting.resolve({ done: false, value: item });
  }

  /** Nothing more will come; what is there is still read, then the failure if there is one. */
  end(failure?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    for (const waiting of this.#waiting.splice(0)) {
      if (failure === undefined) waiting.resolve({ done: true, value: undefined });
      else waiting.reject(failure);
    }
    this.onEnd();
  }

  /** Ends and drops what was not read. */
  discard(failure?: Error): void {
    this.end(failure);
    this.#items.length = 0;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve({ done: false, value: item });
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }
}
