import { useEffect, useState } from "preact/hooks";

/** Something that components show, and that says when it has changed. */
export class Emitter {
  readonly #listeners = new Set<() => void>();

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Renders the component again after each change. */
export function useEmitter(...emitters: readonly Emitter[]): void {
  const [, setCount] = useState(0);
  useEffect(() => {
    const update = (): void => setCount((count) => count + 1);
    const ends = emitters.map((emitter) => emitter.subscribe(update));
    // A change between the rendering and this effect.
    update();
    return () => {
      for (const end of ends) end();
    };
  }, emitters);
}
