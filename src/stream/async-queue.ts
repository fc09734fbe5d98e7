interface PendingRead<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(failure: Error): void;
}

/**
 * A FIFO from a source that pushes to a reader that pulls. The reader may call `next` again while a
 * call is pending. As with a generator, the calls resolve in order.
 */
export class AsyncQueue<T> implements AsyncIterator<T, undefined> {
  readonly #items: T[] = [];
  readonly #reads: PendingRead<T>[] = [];
  #ended = false;
  #failure: Error | undefined;
  /** Called once, when the queue has ended. */
  onEnd: () => void = () => {};

  /** Number of unread items. */
  get size(): number {
    return this.#items.length;
  }

  /** The next unread item. */
  get first(): T | undefined {
    return this.#items[0];
  }

  /** Number of pending calls of `next`. */
  get awaited(): number {
    return this.#reads.length;
  }

  get ended(): boolean {
    return this.#ended;
  }

  put(item: T): void {
    if (this.#ended) return;
    const read = this.#reads.shift();
    if (read === undefined) this.#items.push(item);
    else read.resolve({ done: false, value: item });
  }

  /** Ends the queue. The reader still gets the unread items, then the failure, if any. */
  end(failure?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    for (const read of this.#reads.splice(0)) {
      if (failure === undefined) read.resolve({ done: true, value: undefined });
      else read.reject(failure);
    }
    this.onEnd();
  }

  /** Ends the queue and drops unread items, and an unread failure too. */
  discard(failure?: Error): void {
    this.end(failure);
    this.#failure = failure;
    this.#items.length = 0;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve({ done: false, value: item });
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#reads.push({ resolve, reject });
    });
  }
}
