/**
 * What the client imports of Node, for browsers. The playground uses events, texts of values and random ids. The rest
 * is for sockets and certificates, which a page cannot have.
 */

type Listener = (...args: unknown[]) => void;

export class EventEmitter {
  readonly #listeners = new Map<string, Listener[]>();

  on(name: string, listener: Listener): this {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
    return this;
  }

  off(name: string, listener: Listener): this {
    const others = this.#listeners.get(name)?.filter((each) => each !== listener) ?? [];
    this.#listeners.set(name, others);
    return this;
  }

  emit(name: string, ...args: unknown[]): boolean {
    const listeners = this.#listeners.get(name) ?? [];
    for (const listener of listeners) listener(...args);
    return listeners.length > 0;
  }

  listenerCount(name: string): number {
    return this.#listeners.get(name)?.length ?? 0;
  }

  listeners(name: string): readonly Listener[] {
    return this.#listeners.get(name) ?? [];
  }
}

export function setMaxListeners(): void {}

export function inspect(value: unknown): string {
  return typeof value === "string" ? `'${value}'` : (JSON.stringify(value) ?? String(value));
}

export function isDeepStrictEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** `crypto.randomUUID` is there only on https. */
export function randomUUID(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function unavailable(): never {
  throw new TypeError("a page has neither sockets nor files: use a key space in memory");
}

export {
  unavailable as createSecureContext,
  unavailable as isIP,
  unavailable as isUtf8,
  unavailable as openKeySpace,
  unavailable as readFileSync,
  unavailable as statSync,
  unavailable as X509Certificate,
};
