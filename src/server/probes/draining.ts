/** Whether a server is about to stop. It still serves requests, but should not get new clients. */
export class Draining {
  #hasBegun = false;

  begin(): void {
    this.#hasBegun = true;
  }

  /** Why the server is not ready; undefined before {@link begin}. */
  get reason(): string | undefined {
    return this.#hasBegun ? "shutting down" : undefined;
  }
}
