import type { CallOptions } from "../../key-space/call-options.js";
import type { KeySpace, KeyWatch, Scan } from "../../key-space/key-space.js";
import type { KeyRequest, ScanRequest, WatchRequest } from "../../model/key-request.js";
import type { EtcdResponse } from "../../model/response.js";

/**
 * A key space that returns only one level for recursive reads. The resync of a watch on it does not
 * contain the complete tree, which may be larger than memory.
 */
export class ShallowKeySpace implements KeySpace {
  readonly #inner: KeySpace;

  constructor(inner: KeySpace) {
    this.#inner = inner;
  }

  execute(request: KeyRequest, options?: CallOptions): Promise<EtcdResponse> {
    const shallow = request.action === "get" ? { ...request, recursive: false } : request;
    return this.#inner.execute(shallow, options);
  }

  openWatch(request: WatchRequest, options?: CallOptions): Promise<KeyWatch> {
    return this.#inner.openWatch(request, options);
  }

  scan(request: ScanRequest, options?: CallOptions): Promise<Scan> {
    return this.#inner.scan(request, options);
  }

  /** Does not close the inner key space. */
  async close(): Promise<void> {}
}
